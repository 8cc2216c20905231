# ruff: noqa: SLF001 - see below
"""Runs inside the box: a run of pytest that begins before its tests exist, so that a fork only has to finish it.

More than half of the cost of `pytest.main` does not depend on the tests: registering plugins, parsing its own command
line, configuring itself, looking through all plugins for fixtures. `WarmRun()` does that at once; `WarmRun.run` does
the rest. Tests cannot notice: their code takes no part before the collection, unless they have a conftest.py, and then
`run` starts again with `pytest.main` itself. Descriptors, which a process has only once, are left alone until `run`.

pytest has no public way to stop half-way, so this module uses these private names. The box has one fixed version, and
tests/integration/test_pytest_ready.py compares both ways over many suites:

    _prepareconfig, Config._do_configure, Config._ensure_unconfigure, Session.from_config, print_usage_error, main._main
                                                        the parts of `pytest.main` (_pytest/config, _pytest/main.py)
    Config._rootpath, PytestPluginManager._confcutdir, Session._bestrelpathcache
                                                        they store the place of the tests
    faulthandler.pytest_configure, LoggingPlugin.log_file_handler
                                                        they open descriptors
    python.import_path, AssertionRewritingHook          they import tests
    source.getstatementrange_ast, code.Code.path        they find the files and lines for the report of a failure
"""

import ast
import os
import sys
from collections.abc import Sequence
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from _pytest import faulthandler, python
from _pytest._code import code, source
from _pytest.assertion.rewrite import AssertionRewritingHook
from _pytest.config import Config, _prepareconfig, print_usage_error
from _pytest.main import _bestrelpath_cache, _main

NO_TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "rehearsal")
"""Used in the place of the folder of the tests until there is one: it exists, without a conftest.py."""
EXPECTED = ("tests", "/box/work")
"""The most frequent folder of tests and working directory."""


class WarmRun:
    """One run, to be finished once. `options` and `plugins` are those of `pytest.main`, without the tests.

    The options must not capture by descriptor, because a process has only one set of descriptors.
    """

    def __init__(self, options: Sequence[str], plugins: Sequence[object]) -> None:
        self.options = options
        self.plugins = list(plugins)
        configure_faulthandler = faulthandler.pytest_configure
        faulthandler.pytest_configure = _later
        try:
            self.config = _prepareconfig(self._arguments(NO_TESTS), self.plugins)
        finally:
            faulthandler.pytest_configure = configure_faulthandler
        self.session = pytest.Session.from_config(self.config)
        self.config._do_configure()
        self.config.hook.pytest_sessionstart(session=self.session)
        self._plugin("logging-plugin").log_file_handler.close()  # it is /dev/null
        self._plugin("capturemanager").suspend_global_capture(in_=True)
        self._point_at(*EXPECTED)

    def _arguments(self, tests: str) -> list[str]:
        # -c: no file in the submission's folder configures the run
        return ["--rootdir", tests, "-c", os.devnull, "--confcutdir", tests, "--import-mode=importlib",
                *self.options, tests]  # fmt: skip

    def _plugin(self, name: str) -> Any:
        return self.config.pluginmanager.get_plugin(name)

    def add(self, plugin: object) -> None:
        """Add a plugin. It misses the hooks that have already run."""
        self.plugins.append(plugin)
        self.config.pluginmanager.register(plugin)

    def run(self, tests: str) -> int:
        """Run the tests in the folder `tests` and return pytest's exit status.

        `close` does pytest's cleanup: no test sees it, and a process that ends does not need it.
        """
        if "hypothesis.configuration" in sys.modules:  # it keeps the working directory that it was imported in
            sys.modules["hypothesis.configuration"].set_hypothesis_home_dir(os.path.abspath(".hypothesis"))
        if any("conftest.py" in files for _, _, files in os.walk(tests)):
            self.config._ensure_unconfigure()
            return pytest.main(self._arguments(tests), plugins=self.plugins)
        os.environ["PYTEST_VERSION"] = pytest.__version__
        if (tests, os.getcwd()) != EXPECTED:
            self._point_at(tests, os.getcwd())
        capture = self._plugin("capturemanager")
        capture.resume_global_capture()
        capture.suspend_global_capture()
        faulthandler.pytest_configure(self.config)
        return self._finish()

    def _point_at(self, tests: str, folder: str) -> None:
        config, session = self.config, self.session
        root = Path(os.path.normpath(os.path.join(folder, tests)))
        args = self._arguments(tests)
        config.invocation_params = Config.InvocationParams(args=args, plugins=self.plugins, dir=Path(folder))
        config.args = [tests]
        for namespace in (config.option, config.known_args_namespace):
            vars(namespace).update(rootdir=tests, confcutdir=tests, file_or_dir=[tests])
        config._rootpath = session.path = config.pluginmanager._confcutdir = root
        session._bestrelpathcache = _bestrelpath_cache(root)

    def _finish(self) -> int:
        """Do the rest of `pytest.main`; the code is taken from it."""
        config, session = self.config, self.session
        try:
            session.exitstatus = _main(config, session) or pytest.ExitCode.OK
        except pytest.UsageError as error:
            print_usage_error(error, sys.stderr)
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
        except session.Failed:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        except (KeyboardInterrupt, pytest.exit.Exception) as stop:
            session.exitstatus = getattr(stop, "returncode", None) or pytest.ExitCode.INTERRUPTED
            config.hook.pytest_keyboard_interrupt(excinfo=pytest.ExceptionInfo.from_exception(stop))
        except BaseException as error:
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
            config.notify_exception(pytest.ExceptionInfo.from_exception(error), config.option)
        os.chdir(session.startpath)
        config.hook.pytest_sessionfinish(session=session, exitstatus=session.exitstatus)
        return session.exitstatus

    def close(self) -> None:
        """Do the cleanup of `pytest.main`, for a process that goes on."""
        self.config._ensure_unconfigure()
        os.environ.pop("PYTEST_VERSION", None)


def _later(config: object) -> None:
    """Replaces a hook that is called later. pytest needs the argument to have this name."""


_import_path = vars(python)["import_path"]


def _import_test(path: Path, *, root: Path, **options: Any) -> ModuleType:
    """Import a file of tests directly if it is in the tests' own folder. pytest imports any other."""
    __tracebackhide__ = True
    name = path.stem
    hook = next((hook for hook in sys.meta_path if isinstance(hook, AssertionRewritingHook)), None)
    plain = path.parent == root and name.startswith("test_") and name.isidentifier() and name not in sys.modules
    spec = spec_from_file_location(name, path, loader=hook)
    if hook is None or spec is None or not plain or (root / "__init__.py").exists():
        found: ModuleType = _import_path(path, root=root, **options)
        return found
    module = sys.modules[name] = module_from_spec(spec)
    hook.exec_module(module)
    return module


vars(python)["import_path"] = _import_test


_statement_range = vars(source)["getstatementrange_ast"]
_parsed: dict[str, ast.AST] = {}


def _range_in_what_is_parsed(lineno: int, text: source.Source, assertion: bool = False, astnode: Any = None) -> Any:  # noqa: FBT001, FBT002
    """Return the range of the statement at a line. pytest itself would parse the whole file, twice for each failed
    test.
    """
    content = str(text)
    found = _statement_range(lineno, text, assertion, astnode or _parsed.get(content))
    _parsed[content] = found[0]
    return found


for module in (source, code):
    vars(module)["getstatementrange_ast"] = _range_in_what_is_parsed

_path_of_code: Any = vars(code.Code)["path"].fget
_paths: dict[str, Path | str] = {}


def _path(self: code.Code) -> Path | str:
    """Return the path of a code object from a cache. pytest looks for the file of each frame, of which twenty are its
    own.
    """
    name = self.raw.co_filename
    if name not in _paths:
        _paths[name] = _path_of_code(self)
    return _paths[name]


code.Code.path = property(_path)  # type: ignore[assignment,method-assign]
