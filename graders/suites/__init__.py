"""Hidden suites: what all kinds share, and a folder for each kind."""
