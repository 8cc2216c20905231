"""From a submission to its findings: what a worker has done in a process beside it."""
