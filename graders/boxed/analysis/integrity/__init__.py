"""Runs inside the box: signs in the source that somebody plays with the examination. Standard library only."""
