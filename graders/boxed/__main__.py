"""Starts a driver: `python3 -m graders.boxed call.driver submission`.

Nothing but this is left to do where it was imported ahead together with its driver (sandboxes.interface.Harness.preload).
"""

import sys
from importlib import import_module


def main() -> None:
    import_module(f"graders.boxed.{sys.argv[1]}").main(*sys.argv[2:])


if __name__ == "__main__":
    main()
