"""Programs that differ from the reference in one place."""
