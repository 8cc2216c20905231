# ruff: noqa: SLF001 - see below
"""Runs inside the examiner's box: what Hypothesis does there is the same each time, and tells for what a property failed.

The examples of a test depend on the seed, the test and the reference, and on nothing else: not on the clock, on an earlier run
or on which other modules are loaded. There is no database and no deadline, a busy machine fails no health check, and shrinking
ends in time for its result to be told.

Hypothesis has no public way to set some of this, so these of its names are used though they are private; the box has one fixed
version, and tests/integration/test_property_suite.py sees what each is for:

    core.global_force_seed              as its option --hypothesis-seed does
    engine.MAX_SHRINKING_SECONDS        5 minutes, which is more than a test has
    providers.is_local_module_file      whose constants are tried as examples
    _hypothesis_internal_use_settings   where @settings puts them
"""

import os
from collections.abc import Callable, Generator
from functools import wraps
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, core, is_hypothesis_test, settings
from hypothesis.internal.conjecture import engine, providers

GIVEN_CHARACTERS = 2000
SHRINKING_SHARE = 0.4
"""Of the seconds of a test. The rest is for finding a failure, which decides, and for telling it."""
PROFILE = "assay"


class Properties:
    """A plugin of a run."""

    def __init__(self, seed: int, max_examples: int | None, seconds: float, reference: str) -> None:
        """`max_examples`: of a test that does not state it; `seconds`: for a test; `reference`: the folder of it."""
        self._given = ""
        vars(core)["global_force_seed"] = seed
        vars(engine)["MAX_SHRINKING_SECONDS"] = seconds * SHRINKING_SHARE
        reference = os.path.abspath(reference) + os.sep
        vars(providers)["is_local_module_file"] = lambda path: path.startswith(reference)
        stated = {} if max_examples is None else {"max_examples": max_examples}
        settings.register_profile(
            PROFILE,
            # A profile of its own for continuous integration would be the parent, where the environment has such names.
            settings.get_profile("default"),
            database=None,
            deadline=None,
            derandomize=False,  # the seed is forced
            print_blob=True,
            report_multiple_bugs=False,
            phases=(Phase.explicit, Phase.generate, Phase.target, Phase.shrink),
            suppress_health_check=(HealthCheck.too_slow,),
            **stated,
        )
        settings.load_profile(PROFILE)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Tests with a deadline, a database or another source of chance of their own do without it."""
        for item in items:
            test = getattr(item, "obj", None)
            stated = getattr(test, "_hypothesis_internal_use_settings", None)
            if stated is not None and is_hypothesis_test(test):
                function: Any = getattr(test, "__func__", test)
                checks = {*stated.suppress_health_check, HealthCheck.too_slow}
                function._hypothesis_internal_use_settings = settings(
                    stated, deadline=None, database=None, derandomize=False, suppress_health_check=tuple(checks)
                )

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Of a property that fails, `given` is the last example: Hypothesis ends with the smallest that it has found."""
        handle = getattr(getattr(item, "obj", None), "hypothesis", None)
        if handle is None:
            return (yield)
        self._given, inner = "", handle.inner_test
        handle.inner_test = self._noting(inner)
        try:
            return (yield)
        except BaseException:
            item.user_properties.append(("given", self._given))
            raise
        finally:
            handle.inner_test = inner

    def _noting(self, inner: Callable[..., object]) -> Callable[..., object]:
        @wraps(inner)
        def noting(*args: object, **kwargs: object) -> object:
            __tracebackhide__ = True
            # Before the call, which may change what it is given.
            given = ", ".join(f"{name}={_shown(value)}" for name, value in kwargs.items() if name != "self")
            self._given = given[:GIVEN_CHARACTERS]
            return inner(*args, **kwargs)

        return noting


def _shown(value: object) -> str:
    try:
        return repr(value)
    except Exception as error:
        return f"<{type(value).__name__}, whose repr raises {type(error).__name__}>"
