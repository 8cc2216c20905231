"""What is in the packages is for the boxes."""

collect_ignore_glob = ["*/hidden/*", "*/submissions/*"]
