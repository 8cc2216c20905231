"""Runs programs, for `stdio` suites."""
