"""One file for each benchmark whose rows become task packages."""
