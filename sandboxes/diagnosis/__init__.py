"""What this host can hold, what it lacks, and what to do about it."""
