"""Inputs like those of a suite."""
