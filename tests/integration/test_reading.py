"""Bodies and packages are read in another process, with the same result as reading them here; that process may die."""

import io
import json
import os
import pickle
import signal
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from graders.tasks import package
from graders.tasks.package import PackageError
from service.processes.wire import WireError
from service.reading.body import MOST_VALUES, BodyError, parsed
from service.reading.readers import Reader, ReaderLostError, _Plain
from service.reading.task_summary import summarize
from tests.integration.serving import alive
from tests.integration.stored import PACKAGE

Make = Callable[[], Reader]


@pytest.fixture(scope="module")
def reader() -> Any:
    made = Reader("test")
    yield made
    made.close()


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": [1, -2.5e3, true, null, "\\u00e9\\ud800", "\xf0\x9f\x98\x80"]}',
        b"\xef\xbb\xbf[]",
        b'{"a": 1,}',
        b"",
        b"\xff",
        b"[" * 100_000,
        b"1" * 40,
        b"[" + b"[]," * MOST_VALUES + b"1]",
        json.dumps({f"k{at}": 1 for at in range(3000)}).encode(),
    ],
)
def test_a_body_is_read_as_it_would_be_here(reader: Reader, body: bytes) -> None:
    assert outcome(reader.body(body).result) == outcome(lambda: parsed(body))


def outcome(read: Callable[[], Any]) -> object:
    """Return the result, with all that an answer is made of."""
    try:
        return read()
    except BodyError as error:
        return error.kind, error.detail, error.expected
    except json.JSONDecodeError as error:
        return error.msg, error.pos
    except (ValueError, RecursionError):
        return "no text in UTF-8, or too deep"


def test_a_package_is_read_as_it_would_be_here(reader: Reader) -> None:
    task, summary = reader.package(PACKAGE).result()
    loaded = package.load(PACKAGE)
    assert summary == summarize(loaded)
    assert (task.id, task.version, task.graders, task.limits) == (
        loaded.id,
        loaded.version,
        loaded.graders,
        loaded.limits,
    )
    assert not task.suites and not task.reference
    with pytest.raises(PackageError) as wrong:
        reader.package({**PACKAGE, "prompt.md": ""}).result()
    assert (wrong.value.field, wrong.value.expected) == ("prompt.md", "a file with what the model was asked")


def test_options_of_every_kind_that_toml_has_come_through(reader: Reader) -> None:
    options = 'day = 2031-05-04\nat = 03:02:01\nwhen = 2031-05-04T03:02:01Z\nlist = [1, 2.5, "x", {a = true}]\n'
    files = {**PACKAGE, "task.toml": f'{PACKAGE["task.toml"]}\n[graders."acme/quiet"]\n{options}'}
    assert reader.package(files).result()[0].graders == package.load(files).graders


def test_one_that_died_is_started_again_and_what_it_read_is_read_anew(reader: Reader) -> None:
    reader.body(b"[]").result()
    assert reader._child is not None
    first = reader._child.pid
    os.kill(first, signal.SIGSTOP)
    answers: list[Future[Any]] = [reader.body(b"[1]"), reader.body(b"[2]")]
    os.kill(first, signal.SIGKILL)
    assert [answer.result() for answer in answers] == [[1], [2]]
    assert not alive(first)


def test_what_kills_every_reader_is_our_failure(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.reading.readers.READ_SECONDS", 0.0)
    with pytest.raises(ReaderLostError):
        reader.body(b"[" + b'"x",' * 90_000 + b"1]").result()


def test_it_can_send_nothing_that_runs_here() -> None:
    for evil in (os.system, eval, io.open, Reader):
        with pytest.raises(WireError, match="it sent a"):
            _Plain(io.BytesIO(pickle.dumps(evil))).load()
