"""The results of `assay eval`: a file that grows by a line for each sample and can be continued after an interruption.

`R.jsonl.state` beside `R.jsonl` holds the samples' tag on the server and a digest of each. With these a repeated command
finds its own runs again and does not take the result of another sample for one of its own.
"""

import fcntl
import json
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rubrics.input_error import InputError

_KEYS = {"id", "task_id", "outcome", "cases", "ends", "flags", "levels", "run_id"}
_ERROR = "error"
"""The further key of a row whose line was left out: why."""
_LATER = frozenset({_ERROR, "reward"})
"""Keys that a row may lack: older rows do not have a reward."""


class ResultsFile:
    """An open results file; a context manager. While it is open no other process writes it.

    Args:
        path: the file, made if it is missing. A last line that was cut off during a write is removed. So are rows of lines that
            were left out: the line may be mended by now, and otherwise it gets its row again.
        asked: for each sample's id, its task's id and a digest of the sample and its task.

    Raises:
        InputError: if the file is in use, holds something else, or has results of other samples.
    """

    def __init__(self, path: Path, asked: Mapping[str, tuple[str, str]]) -> None:
        self._path = path
        # If the results file is gone, ignore the state file and start over.
        afresh = not path.exists()
        try:
            self._file = path.open("ab")
        except OSError as error:
            raise InputError(str(path), f"a file that can be written ({error.strerror})") from error
        try:
            self._lock()
            tag, digests = ("", {}) if afresh else self._state()
            rows, size = _whole_rows(path)
            self.done = self._checked(rows, asked, digests)
            """Ids of the samples whose results are in the file."""
            # Only now that the file is known to be ours.
            self._file.truncate(size)
            self._remove_left_out(rows)
            self.tag = tag or f"eval-{secrets.token_hex(8)}"
            """The label under which the samples are submitted."""
            self._write_state(digests | {id: digest for id, (_, digest) in asked.items()})
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, row: Mapping[str, Any]) -> None:
        """Append a result; it is in the file when this returns."""
        self._file.write(_line(row))
        self._file.flush()
        self.done.add(row["id"])

    def _remove_left_out(self, rows: Sequence[Any]) -> None:
        """Put a file without those rows in the place of this one, if there are any. A crash leaves the one or the other."""
        kept = [row for row in rows if _ERROR not in row]
        if len(kept) == len(rows):
            return
        draft = self._path.with_name(f"{self._path.name}.new")
        draft.write_bytes(b"".join(map(_line, kept)))
        old, self._file = self._file, draft.open("ab")
        try:
            self._lock()
            draft.replace(self._path)
        finally:
            # Only now: until the new one is locked and in its place, this is the lock that another command runs into.
            old.close()

    @property
    def _state_path(self) -> Path:
        return self._path.with_name(f"{self._path.name}.state")

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InputError(str(self._path), "a file that no other `assay eval` is writing just now") from error

    def _state(self) -> tuple[str, dict[str, str]]:
        """Return the tag and the digests that an earlier command left."""
        try:
            state = json.loads(self._state_path.read_bytes())
            tag, digests = state["tag"], state["samples"]
            if isinstance(tag, str) and isinstance(digests, dict):
                return tag, digests
        except FileNotFoundError:
            return "", {}
        except (ValueError, KeyError, TypeError):
            pass
        raise InputError(str(self._state_path), "what `assay eval` wrote there; remove it together with the results")

    def _write_state(self, digests: Mapping[str, str]) -> None:
        draft = self._state_path.with_name(f"{self._state_path.name}.new")
        draft.write_text(json.dumps({"tag": self.tag, "samples": digests}), encoding="utf-8")
        draft.replace(self._state_path)

    def _checked(
        self, rows: Sequence[Any], asked: Mapping[str, tuple[str, str]], digests: Mapping[str, str]
    ) -> set[str]:
        """Return the ids of the rows, all of which must be results of these samples."""
        done: set[str] = set()
        for number, row in enumerate(rows, start=1):
            where = f"{self._path}:{number}"
            if not isinstance(row, dict) or row.keys() - _LATER != _KEYS:
                raise InputError(where, f"a result of `assay eval`, with the keys {', '.join(sorted(_KEYS))}")
            if _ERROR in row:
                continue
            if row["id"] not in asked:
                raise InputError(where, f"the result of one of these samples; {row['id']!r} is none. {_ADVICE}")
            task_id, digest = asked[row["id"]]
            if row["task_id"] != task_id or digests.get(row["id"], digest) != digest:
                raise InputError(
                    where, f"the result of {row['id']!r} as it is now; it, or its task, has changed. {_ADVICE}"
                )
            done.add(row["id"])
        return done


_ADVICE = "Choose another --out, or remove this file to start afresh"


def _line(row: Mapping[str, Any]) -> bytes:
    return json.dumps(row).encode("ascii") + b"\n"


_BEGINNING = b'{"id": "'


def _whole_rows(path: Path) -> tuple[list[Any], int]:
    """Return the rows of the file, and its size without a last line that was cut off during a write."""
    content = path.read_bytes()
    size = content.rfind(b"\n") + 1
    cut = content[size:]
    if not _BEGINNING.startswith(cut[: len(_BEGINNING)]):
        raise InputError(f"{path}: last line", f"the beginning of a result, not {cut[:40]!r}")
    rows = []
    for number, line in enumerate(content[:size].splitlines(), start=1):
        try:
            rows.append(json.loads(line))
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path}:{number}", f"a result of `assay eval` ({error})") from error
    return rows, size
