"""Task packages: from files to a checked task."""
