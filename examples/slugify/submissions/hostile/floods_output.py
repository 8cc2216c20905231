"""Prints until somebody stops it."""

import sys


def slugify(title, max_length=None):
    while True:
        sys.stdout.write("slug " * 10_000)
