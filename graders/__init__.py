"""Look at a submission and report signals. A plugin author imports `graders.interface` and nothing else."""
