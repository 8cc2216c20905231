"""What the observer makes of bytes that a program chose, and the tripwires. Notifications: tests/integration."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxes.inside import watch


@given(st.text(max_size=500) | st.binary(max_size=500).map(lambda raw: raw.decode("utf-8", "surrogateescape")))
def test_any_text_becomes_printable(text: str) -> None:
    shown = watch.printable(text)
    assert shown.isascii() and shown.isprintable() and len(shown) <= 200


@given(st.binary(max_size=140))
def test_any_bytes_are_some_address(raw: bytes) -> None:
    family, text = watch._address(raw)
    assert isinstance(family, int) and isinstance(text, str)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("0200 0050 5db8d822 0000000000000000", "93.184.216.34:80"),
        ("0a00 01bb 00000000 20010db8000000000000000000000001 00000000", "[2001:db8::1]:443"),
        ("0100 2f72756e2f78 00 ff", "/run/x"),
        ("0100 00 616273", ""),
        ("0200 0050", "AF_INET"),
        ("1000 0000", "AF_NETLINK"),
        ("ffff", "family 65535"),
        ("02", "unknown"),
    ],
)
def test_addresses(raw: str, text: str) -> None:
    assert watch._address(bytes.fromhex(raw))[1] == text


def test_tripwires_tell_who_opens_them(tmp_path: Path) -> None:
    folder, key, quiet = tmp_path / "folder", tmp_path / "key", tmp_path / "quiet"
    folder.mkdir()
    for file in (folder / "inside", key, quiet):
        file.write_text("x")
    wires = watch.Tripwires()
    wires.watch((str(folder), str(key), str(quiet), str(tmp_path / "missing")))
    try:
        assert wires.collect() == []
        quiet.stat()
        key.read_text()
        (folder / "inside").read_text()
        key.read_text()
        assert wires.collect() == [
            {"behaviour": "read", "detail": str(key), "refused": False, "times": 2},
            {"behaviour": "read", "detail": str(folder / "inside"), "refused": False, "times": 1},
        ]
        assert wires.collect() == []
    finally:
        wires.close()


def test_a_flood_of_tripwires_is_capped(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"{number}").write_text("x")
    wires = watch.Tripwires()
    wires.watch((str(tmp_path),))
    try:
        for number in range(30):
            os.close(os.open(tmp_path / f"{number}", os.O_RDONLY))
        *kept, rest = wires.collect()
        assert len(kept) == watch.MOST
        assert rest == {"behaviour": "read", "detail": "", "refused": False, "times": 30 - watch.MOST, "left_out": True}
    finally:
        wires.close()


KINDS = st.sampled_from(
    [
        ("network", "socket AF_INET", True),
        ("network", "connect 192.0.2.1", True),
        ("network", "bind 0.0.0.0", True),
        ("network", "connect /run/x", False),
        ("write", "openat /etc", False),
        ("program", "/bin", False),
        ("read", "/root", False),
        ("syscall", "ptrace", True),
    ]
)


@given(st.lists(st.tuples(KINDS, st.integers(0, 40)), max_size=400))
def test_no_kind_of_evidence_crowds_out_another(acts: list[tuple[tuple[str, str, bool], int]]) -> None:
    """Of each kind something is told, and all that happened is counted somewhere."""
    notes = watch.Notes()
    for (behaviour, detail, refused), number in acts:
        notes.add(behaviour, f"{detail}/{number}", refused=refused)
    told = notes.told()
    assert sum(int(str(one["times"])) for one in told) == len(acts)
    for (behaviour, detail, refused), _ in acts:
        assert any(
            one["behaviour"] == behaviour and one["refused"] == refused and str(one["detail"]).startswith(detail)
            for one in told
        )
    plain = [one for one in told if one["behaviour"] != "syscall"]
    assert len(plain) <= 7 * (watch.MOST + 1)
