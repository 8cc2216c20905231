"""Imported ahead of a fork that goes on with pytest_driver.py."""

from graders.harness.pytest_rehearsal import rehearse
from graders.harness.pytest_run import OPTIONS

rehearse(OPTIONS)
