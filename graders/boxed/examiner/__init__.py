"""The tests' side of that line."""
