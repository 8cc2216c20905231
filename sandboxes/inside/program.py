"""Becoming the program: what a forked child of the zygote does once it is locked in.

`python3 [-BPsu] (FILE | -c CODE | -m MODULE) [ARGUMENT...]` continues in the interpreter that is already there, as if it had
just started; anything else is executed. Known differences to a new interpreter: a few more modules are in
sys.modules, and what was there before the fork is never freed (immortal.py).

Every module that is imported here is in the memory of every fork, and a fork costs by the page. So there is no typing and no
dataclasses, and no threading, which does more after a fork than all the rest together.
"""

from __future__ import annotations

import atexit
import builtins
import gc
import importlib.machinery
import io
import os
import runpy
import signal
import struct
import sys
import types

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

WORK = "/box/work"
OUR_FOLDER = "/opt/assay/"
ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": "/box/tmp",
    "TMPDIR": "/box/tmp",
    "LANG": "C.UTF-8",
    "PYTHONINTMAXSTRDIGITS": "0",
    "PYTHONHASHSEED": "0",
}
"""The environment of every program, in every tier. A command's own settings are added to it.

One hash seed for all boxes: the order of a set of strings, and with it a program's answer, is the same in each run.
"""
INODES = 16384
"""Files, folders and links that the box's tmpfs may hold, in tiers jail and container."""
OUR_MODULES = (
    "counters", "immortal", "jail", "landlock", "namespaces", "observer", "program", "seccomp", "watch",
)  # fmt: skip
"""Modules of this package that the zygote imports."""
LIMITS = struct.Struct(">dIi")
"""The limits that the host sends beside a request: CPU seconds, disk MiB, the program's processor or -1 for any."""
PLAIN_OPTIONS = frozenset("BPsu")
"""Options that a fork can follow. `-E` and `-I` need a new interpreter: they ask for one that reads no PYTHON* variable."""


class PythonCall:
    """A command line of python3, taken apart. `mode` is `c`, `m` or `file`."""

    __slots__ = ("arguments", "mode", "safe_path", "target", "unbuffered", "without_bytecode")

    def __init__(self, mode: str, target: str, arguments: list[str], letters: set[str]) -> None:
        self.mode = mode
        self.target = target
        self.arguments = arguments
        self.safe_path = "P" in letters
        self.unbuffered = "u" in letters
        self.without_bytecode = "B" in letters


def python_call(argv: list[str], environment: dict[str, str]) -> PythonCall | None:
    """Return the command line, taken apart; None if it needs a new process.

    That is another program, an option that a fork cannot follow, or a setting that an interpreter reads at its start.
    """
    if argv[0] != "python3":
        return None
    if any(name.startswith(("PYTHON", "LANG", "LC_")) for name in environment):
        return None
    letters: set[str] = set()
    for place, word in enumerate(argv[1:], start=1):
        if word in ("-c", "-m"):
            if place + 1 == len(argv):
                return None
            return PythonCall(word[1], argv[place + 1], argv[place + 2 :], letters)
        if not word.startswith("-"):
            return PythonCall("file", word, argv[place + 1 :], letters) if os.path.isfile(word) else None
        letters |= set(word[1:])
        if word == "-" or not letters <= PLAIN_OPTIONS:
            return None
    return None


class ProgramRequest:
    """A program to be started: its command line, its additions to the environment, its files.

    In bytes: four bytes of length, then that many bytes of words with NULs between them, then the files' contents. The words are:
    the number of words of the command line, and those; the number of settings, and those as NAME=value; then the path and the size
    of each file.
    """

    __slots__ = ("_files", "argv", "environment")

    def __init__(self, words: bytes) -> None:
        """`words`: the words, without the length and the contents."""
        parts = words.decode("utf-8", "surrogateescape").split("\0")
        middle = 1 + int(parts[0])
        self.argv = parts[1:middle]
        last = middle + 1 + int(parts[middle])
        self.environment = dict(setting.split("=", 1) for setting in parts[middle + 1 : last])
        self._files = parts[last:]

    def files(self) -> list[tuple[str, int]]:
        return list(zip(self._files[::2], map(int, self._files[1::2]), strict=True))


def execute(argv: list[str], environment: dict[str, str]) -> NoReturn:
    try:
        os.execvpe(argv[0], argv, {**os.environ, **environment})  # noqa: S606
    except OSError as error:
        os.write(2, f"assay: cannot start {argv[0]}: {error}\n".encode(errors="surrogateescape"))
    os._exit(127)


MODULES = sys.modules
"""Kept here, because a program may replace `sys.modules`, or one of the functions below."""
collect, end = gc.collect, os._exit
objects_made, has_ended = gc.get_objects, gc.is_finalized
"""`gc.get_objects` lists what the collector follows. Objects from before the fork are not among it."""
register_fork_hooks = os.register_at_fork
FORK_HOOKS: list[dict[str, Callable[[], object]]] = []
"""Hooks of `threading` and `logging`, which free locks that other threads held at a fork. The zygote has no other thread, and the
hooks cost a tenth of all pages that a fork touches. So they are registered in the program, for its own forks."""


def put_off_fork_hooks(**hooks: Callable[[], object]) -> None:
    """Stand in for `os.register_at_fork` while the zygote imports."""
    if sys._getframe(1).f_globals["__name__"] in ("threading", "logging"):  # noqa: SLF001
        FORK_HOOKS.append(hooks)
    else:
        register_fork_hooks(**hooks)


def clear_interpreter() -> None:
    """Before any fork: remove the zygote's own modules and environment, which a program would see."""
    os.environ.clear()
    os.environ.update(ENVIRONMENT)
    for name in ("sandboxes", "sandboxes.inside", *(f"sandboxes.inside.{module}" for module in OUR_MODULES)):
        del sys.modules[name]
    del sys.modules["__main__"]
    sys.set_int_max_str_digits(0)  # as PYTHONINTMAXSTRDIGITS has it in an interpreter that is executed


def prepare_interpreter(call: PythonCall, argv: list[str], environment: dict[str, str]) -> None:
    """After the fork: set what differs from program to program. `environment` is added to `ENVIRONMENT`."""
    if environment:
        os.environ.update(environment)
    sys.argv = ["-c" if call.mode == "c" else "-m" if call.mode == "m" else call.target, *call.arguments]
    sys.orig_argv[:] = argv
    if not call.safe_path:
        # the working directory holds no links yet, so this is the real path too
        first = os.path.dirname(os.path.normpath(os.path.join(WORK, call.target))) if call.mode == "file" else WORK
        sys.path.insert(0, "" if call.mode == "c" else first)
    sys.dont_write_bytecode = call.without_bytecode
    for hooks in FORK_HOOKS:
        register_fork_hooks(**hooks)
    if call.unbuffered:
        sys.stdout.reconfigure(write_through=True)  # type: ignore[union-attr]
    threading = sys.modules.get("threading")
    if threading is not None:  # it still has the number of the zygote's thread
        threading.main_thread()._set_native_id()  # noqa: SLF001
    seed_numpy = sys.modules.get("numpy.random")
    if seed_numpy is not None:  # `random` seeds itself after a fork, this does not
        seed_numpy.seed()


def run(call: PythonCall) -> NoReturn:
    """Run the program as the interpreter's own main function would, and leave. Never returns."""
    code = 0
    try:
        _run_as_main(call)
    except SystemExit as stop:
        code = _exit_code(stop)
    except BaseException as error:
        code = _report(error)
    _leave(code)


def _run_as_main(call: PythonCall) -> None:
    # Made after the fork, so that it is freed at the end; only sys.modules holds it by then.
    main = types.ModuleType("__main__")
    main.__dict__["__builtins__"] = builtins
    sys.modules["__main__"] = main
    ahead = sys.modules.get(f"{call.target}.__main__") if call.mode == "m" else None
    if ahead is not None:  # of the harness, imported already: nothing is left to find, read or run
        ahead.main()
    elif call.mode == "m":
        runpy._run_module_as_main(call.target)  # type: ignore[attr-defined]  # noqa: SLF001 - what `python3 -m` calls
    elif call.mode == "c":
        exec(compile(call.target, "<string>", "exec", dont_inherit=True), main.__dict__)  # noqa: S102
    else:
        path = os.path.join(os.getcwd(), call.target)
        main.__dict__["__file__"] = path
        main.__dict__["__cached__"] = None
        main.__dict__["__loader__"] = importlib.machinery.SourceFileLoader("__main__", path)
        with open(path, "rb") as file:
            source = file.read()
        exec(compile(source, path, "exec", dont_inherit=True), main.__dict__)  # noqa: S102


def _exit_code(stop: SystemExit) -> int:
    if stop.code is None:
        return 0
    if isinstance(stop.code, int):
        return stop.code & 0xFF
    _print(str(stop.code))
    return 1


def _report(error: BaseException) -> int:
    """Report an uncaught exception as an interpreter does, without our own frames. Return the exit code."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(OUR_FOLDER):
        trace = trace.tb_next
    try:
        sys.excepthook(type(error), error.with_traceback(trace), trace)
    except SystemExit as stop:
        return _exit_code(stop)
    except BaseException as second:
        second.__context__ = None
        second.__traceback__ = second.__traceback__ and second.__traceback__.tb_next  # without this function's frame
        _print("Error in sys.excepthook:")
        sys.__excepthook__(type(second), second, second.__traceback__)
        _print("\nOriginal exception was:")
        sys.__excepthook__(type(error), error, trace)
    if isinstance(error, KeyboardInterrupt):
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    return 1


def _print(text: str) -> None:
    try:
        sys.stderr.write(text + "\n")
    except BaseException:  # the program may have replaced or removed it
        pass


def _leave(code: int) -> NoReturn:
    """End as an interpreter does, in all that a program can observe: threads, exit hooks, buffers, destructors, buffers again.

    Of its teardown (Py_FinalizeEx) this does the part about objects that the program made, and no part about objects from before the
    fork. So a destructor may still start a process or a thread, which an interpreter refuses by then.
    """
    try:
        if "threading" in sys.modules:  # without it there are no threads to wait for; the interpreter does the same
            sys.modules["threading"]._shutdown()  # noqa: SLF001
        atexit._run_exitfuncs()  # noqa: SLF001
    except BaseException as error:
        _report(error)
    problem = _flush()
    if problem is not None:
        code = code or 120  # the interpreter's own code for output that it could not write
        _print("Exception ignored on flushing sys.stdout:")
        sys.__excepthook__(type(problem), BaseException.with_traceback(problem, None), None)
    collect()  # garbage ends while modules exist, and then a writer precedes its target in the collector's list
    for name in ("stdin", "stdout", "stderr"):
        setattr(sys, name, getattr(sys, f"__{name}__", None))  # a replacement ends here, and flushes
    sys.meta_path = None  # type: ignore[assignment]  # a destructor cannot import; the interpreter does the same
    _forget_modules()
    collect()
    try:
        _end_survivors()
    except BaseException:  # a metaclass may do anything when it is asked for a name
        pass
    _flush()
    end(code)


def _flush() -> BaseException | None:
    """Write buffered output. Return why it could not be written, if so."""
    problem = None
    for name in ("stderr", "stdout"):
        stream = getattr(sys, name, None)
        try:
            if stream is not None and not getattr(stream, "closed", False):
                stream.flush()
        except BaseException as error:
            problem = error
    return problem


def _forget_modules() -> None:
    """Forget the program's modules in the order of their import; `__main__` was the first."""
    own = []
    for name in reversed(MODULES):
        own.append(name)
        if name == "__main__":
            break
    for name in reversed(own):
        MODULES.pop(name, None)


class Ending:
    """Runs another object's destructor from its own, so that the interpreter reports an exception in it as always."""

    __slots__ = ("of",)

    def __init__(self, of: object) -> None:
        self.of = of

    def __del__(self) -> None:
        type(self.of).__del__(self.of)  # type: ignore[attr-defined]


def is_below_text(stream: object) -> bool:
    return not isinstance(stream, io.TextIOWrapper)


def _end_survivors() -> None:
    """Run the destructors of objects that something from before the fork still holds. An ending interpreter would run them too.

    Not while another thread goes on: it may use the objects, and an interpreter does not end them then either.
    """
    if len(sys._current_frames()) > 1:  # noqa: SLF001
        return
    survivors = [each for each in objects_made() if hasattr(type(each), "__del__") and not has_ended(each)]
    for each in sorted(survivors, key=is_below_text):  # a text stream first: its buffer goes into the stream below it
        Ending(each)
