"""The port's promises, kept by real Docker."""

import pytest

from sandboxes.conformance import CHECKS, Check
from sandboxes.interface import Sandbox


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_promise(check: Check, sandbox: Sandbox) -> None:
    with sandbox.session() as session:
        check(session)
