# ruff: noqa: SLF001 - see below
"""Runs inside the examiner's box: makes Hypothesis repeatable, and reports the example for which a property failed.

The examples of a test depend only on the seed, the test and the reference: not on the clock, on an earlier run or on
which other modules are loaded. There is no database and no deadline, a busy machine fails no health check, and
shrinking ends early enough for its result to be reported.

Hypothesis has no public way to set some of this, so this module uses these private names; the box has one fixed
version, and tests/integration/test_property_suite.py tests the effect of each:

    core.global_force_seed              set by its option --hypothesis-seed
    engine.MAX_SHRINKING_SECONDS        5 minutes by default, which is more than a test has
    providers.is_local_module_file      the modules whose constants are tried as examples
    _hypothesis_internal_use_settings   the attribute in which @settings stores its settings
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
"""Share of a test's seconds for shrinking. The rest is for finding a failure, which decides, and for reporting it."""
PROFILE = "assay"


class Properties:
    """A plugin of a run."""

    def __init__(self, seed: int, max_examples: int | None, seconds: float, reference: str) -> None:
        """`max_examples`: for tests that do not state it; `seconds`: the time of a test; `reference`: its folder."""
        self._given = ""
        vars(core)["global_force_seed"] = seed
        vars(engine)["MAX_SHRINKING_SECONDS"] = seconds * SHRINKING_SHARE
        reference = os.path.abspath(reference) + os.sep
        vars(providers)["is_local_module_file"] = lambda path: path.startswith(reference)
        stated = {} if max_examples is None else {"max_examples": max_examples}
        settings.register_profile(
            PROFILE,
            # Otherwise Hypothesis takes its profile for continuous integration, if the environment looks like one.
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
        """Remove the deadline, the database and the own randomness that a test's settings state."""
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
        """Record the last example of a failing property as `given`: Hypothesis runs the smallest one last."""
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
            # Before the call, because it may change its arguments.
            given = ", ".join(f"{name}={_shown(value)}" for name, value in kwargs.items() if name != "self")
            self._given = given[:GIVEN_CHARACTERS]
            return inner(*args, **kwargs)

        return noting


def _shown(value: object) -> str:
    try:
        return repr(value)
    except Exception as error:
        return f"<{type(value).__name__}, whose repr raises {type(error).__name__}>"
