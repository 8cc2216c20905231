"""Runs inside the box: finds signs in the source that a submission games its examination. Standard library only."""
