"""Looks at a submission's files without running them."""
