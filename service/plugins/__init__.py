"""Grader plugins of other people: found and run in processes without rights."""
