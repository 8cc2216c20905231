"""Starts a driver: `python3 -m graders.boxed call.driver submission`.

If this module and the driver were imported ahead (sandboxes.interface.Harness.preload), only the call of `main` is left
to do.
"""

import sys
from importlib import import_module


def main() -> None:
    import_module(f"graders.boxed.{sys.argv[1]}").main(*sys.argv[2:])


if __name__ == "__main__":
    main()
