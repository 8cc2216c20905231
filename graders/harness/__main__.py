"""Starts a driver: `python3 -m graders.harness call_driver submission`.

Nothing but this is left to do where the driver was imported ahead (sandboxes.interface.Harness.preload).
"""

import sys
from importlib import import_module

import_module(f"graders.harness.{sys.argv[1]}").main(*sys.argv[2:])
