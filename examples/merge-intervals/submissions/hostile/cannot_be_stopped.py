"""Swallows every exception that would end it, and every signal that can be swallowed."""

import signal
import time

for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, signal.SIG_IGN)


def merge(intervals):
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass
