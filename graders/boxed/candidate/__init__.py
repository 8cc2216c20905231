"""The submission's side of that line."""
