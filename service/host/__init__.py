"""This machine: made ready, looked at, and the project's own tests run on it."""
