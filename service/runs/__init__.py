"""The path of a submission: taken in, queued, worked on, waited for."""
