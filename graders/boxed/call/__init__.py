"""Calls the functions of a submission, for `call` suites."""
