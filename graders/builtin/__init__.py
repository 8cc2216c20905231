"""The graders that Assay brings: one file, one id."""
