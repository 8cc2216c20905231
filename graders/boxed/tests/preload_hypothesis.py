"""Imported ahead of a fork that goes on with property_driver.py.

It also makes Hypothesis's tables of characters, which would take a second in each box whose tests draw texts.
"""

import io
import json
import os
import sys
from types import SimpleNamespace

from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.internal import charmap

from graders.boxed.tests.property_driver import PROPERTY_OPTIONS
from graders.boxed.tests.warm_up import rehearse


def make_tables() -> None:
    """Make the tables that Hypothesis would look for on disk, then compute, and keep."""
    set_hypothesis_home_dir(os.devnull)  # nothing can be written under it
    charmap.charmap()
    charmap.categories()
    # Hypothesis takes 200 MB for a moment to find that utf-8 encodes everything except surrogates.
    table = json.dumps([[[0, 0xD7FF], [0xE000, sys.maxunicode]], []]).encode()
    module = vars(charmap)
    gzip, module["gzip"] = module["gzip"], SimpleNamespace(GzipFile=lambda _: io.BytesIO(table))
    charmap.intervals_from_codec("utf-8")
    module["gzip"] = gzip
    set_hypothesis_home_dir(None)


make_tables()
rehearse(PROPERTY_OPTIONS)
