"""Processes of our own that are talked to over a pipe."""
