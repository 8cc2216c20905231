"""What the observer makes of bytes that a program chose, and the tripwires. Notifications: tests/integration."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxes.harness import watch


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
    wires = watch.Tripwires((str(folder), str(key), str(quiet), str(tmp_path / "missing")))
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
    wires = watch.Tripwires((str(tmp_path),))
    try:
        for number in range(30):
            os.close(os.open(tmp_path / f"{number}", os.O_RDONLY))
        assert len(wires.collect()) == watch.MOST
    finally:
        wires.close()
