"""Imported ahead of a fork that goes on with pytest_driver.py."""

from graders.boxed.tests.pytest_run import OPTIONS
from graders.boxed.tests.warm_up import rehearse

rehearse(OPTIONS)
