"""LiveCodeBench's packed tests are read without loading the pickle: all but plain text is refused, and never run."""

import base64
import json
import os
import pickle
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubrics.input_error import InputError
from service.importers.formats import pickled
from service.importers.formats.pickled import packed_json


def pack(content: bytes) -> str:
    return base64.b64encode(zlib.compress(content)).decode()


@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=6,
    ),
    protocol=st.integers(0, pickle.HIGHEST_PROTOCOL),
)
def test_whatever_is_packed_comes_out(value: Any, protocol: int) -> None:
    assert packed_json(json.dumps(value), "tests") == value
    assert packed_json(pack(pickle.dumps(json.dumps(value), protocol)), "tests") == value


def test_a_text_of_every_length_that_pickle_writes_differently() -> None:
    for length in (0, 255, 256, 70_000):
        assert packed_json(pack(pickle.dumps(json.dumps("x" * length))), "tests") == "x" * length


class Runs:
    """Its pickle calls os.system when it is loaded."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (self.command,)


def test_a_pickle_that_runs_a_program_is_refused_and_runs_none(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        for content in (Runs(f"touch {mark}"), ["[]", Runs(f"touch {mark}")]):
            with pytest.raises(
                InputError, match=r"a pickle of one text and nothing else; it has .*, so it is not loaded"
            ):
                packed_json(pack(pickle.dumps(content, protocol)), "tests")
    assert not mark.exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1, 2", "tests: expected JSON, or base64 of a zlib stream"),
        ("", "a whole zlib stream; its end is missing"),
        (base64.b64encode(b"no zlib").decode(), "tests: expected JSON, or base64"),
        (pack(b"no pickle"), "tests: expected a pickle of one text"),
        (pack(pickle.dumps(7)), "it has BININT1, so it is not loaded"),
        (pack(pickle.dumps(["[]"])), "so it is not loaded"),
        (pack(pickle.dumps("[]")[:-1]), "tests: expected a pickle of one text"),
        (pack(pickle.dumps("[") ), "tests: expected JSON inside of the packed text"),
        (base64.b64encode(zlib.compress(pickle.dumps("[]"))[:-6]).decode(), "a whole zlib stream; its end is missing"),
    ],
)  # fmt: skip
def test_what_is_none_is_told(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        packed_json(text, "tests")
    assert message in str(caught.value)


def test_a_few_kilobytes_do_not_become_all_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickled, "MOST_BYTES", 1024 * 1024)
    with pytest.raises(InputError, match="at most 1 MiB when it is unpacked"):
        packed_json(pack(pickle.dumps("1" * 2_000_000)), "tests")
