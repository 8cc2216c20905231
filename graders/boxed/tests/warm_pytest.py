# ruff: noqa: SLF001 - see below
"""Runs inside the box: a run of pytest that is begun before its tests are there, so that a fork has only to go on with it.

More than half of what `pytest.main` costs does not depend on the tests: registering plugins, parsing its own command line,
configuring itself, looking through all plugins for fixtures. `WarmRun()` does that at once; `WarmRun.run` does what is left.
The tests cannot tell: nothing of theirs takes part before the collection, unless they have a conftest.py, and then the run
is begun anew by `pytest.main` itself. What a process has but once, its descriptors, is left alone until `run`.

pytest has no public way to stop half-way, so these of its names are used though they are private. The box has one fixed
version, and tests/integration/test_pytest_ready.py compares both ways over many suites:

    _prepareconfig, Config._do_configure, Config._ensure_unconfigure, Session.from_config, print_usage_error, main._main
                                                        what `pytest.main` is made of (_pytest/config, _pytest/main.py)
    Config._rootpath, PytestPluginManager._confcutdir, Session._bestrelpathcache
                                                        where the place of the tests is kept
    faulthandler.pytest_configure, LoggingPlugin.log_file_handler
                                                        where it opens descriptors
    python.import_path, AssertionRewritingHook          how it imports tests
    source.getstatementrange_ast, code.Code.path        how it finds the files and lines that it shows of a failure
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
"""Stands for the folder of the tests until there is one: it exists, and has no conftest.py."""
EXPECTED = ("tests", "/box/work")
"""What a run is told most often: the folder of the tests, and the working directory."""


class WarmRun:
    """One run, to be finished once. `options` and `plugins` are what `pytest.main` would get besides the tests.

    The options say that nothing is captured by descriptor, of which a process has but one set.
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
        # -c: nothing that lies in the submission's folder configures the run
        return ["--rootdir", tests, "-c", os.devnull, "--confcutdir", tests, "--import-mode=importlib",
                *self.options, tests]  # fmt: skip

    def _plugin(self, name: str) -> Any:
        return self.config.pluginmanager.get_plugin(name)

    def add(self, plugin: object) -> None:
        """Have one more plugin, which has not seen how the run began."""
        self.plugins.append(plugin)
        self.config.pluginmanager.register(plugin)

    def run(self, tests: str) -> int:
        """Run what is in the folder `tests`. Returns pytest's exit status.

        What pytest tidies up after its run is left to `close`: no test sees it, and a process that ends need not.
        """
        if "hypothesis.configuration" in sys.modules:  # it has taken the working directory that it was imported in
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
        """What `pytest.main` does from here on, in its words."""
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
        """The rest of `pytest.main`: tidy up, for a process that goes on."""
        self.config._ensure_unconfigure()
        os.environ.pop("PYTEST_VERSION", None)


def _later(config: object) -> None:
    """In the place of a method, or of a hook whose argument must have this name, that is to be called later."""


_import_path = vars(python)["import_path"]


def _import_test(path: Path, *, root: Path, **options: Any) -> ModuleType:
    """A file of tests in the tests' own folder is where it is, so nothing is looked for. Any other is imported as pytest does."""
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
    """Where the statement of a line begins and ends. pytest parses the whole file for it, twice for each test that fails."""
    content = str(text)
    found = _statement_range(lineno, text, assertion, astnode or _parsed.get(content))
    _parsed[content] = found[0]
    return found


for module in (source, code):
    vars(module)["getstatementrange_ast"] = _range_in_what_is_parsed

_path_of_code: Any = vars(code.Code)["path"].fget
_paths: dict[str, Path | str] = {}


def _path(self: code.Code) -> Path | str:
    """For each frame of a failure, of which twenty are its own, pytest looks for the file anew."""
    name = self.raw.co_filename
    if name not in _paths:
        _paths[name] = _path_of_code(self)
    return _paths[name]


code.Code.path = property(_path)  # type: ignore[assignment,method-assign]
