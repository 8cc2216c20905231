"""The same failures, made by hand and raised from elsewhere."""

import asyncio
import binascii
import calendar
import configparser
import csv
import dataclasses
import decimal
import http.client
import ipaddress
import json
import queue
import re
import shutil
import sqlite3
import struct
import subprocess
import tarfile
import urllib.error
import xml.etree.ElementTree as ET
import zipfile


class Custom(Exception):
    items = ()

    @classmethod
    def of(cls, *items):
        made = cls("c")
        made.items = [*items]
        return made


class Strict(ValueError):
    code = 7

    def __str__(self):
        return f"strict {self.code}"


def decode():
    "".join(chr(each) for each in b"\xff").encode("utf-8")
    str(b"\xff", "utf-8")


def deep(n=0):
    return deep(n + 1)


MADE = {
    "json": lambda: json.JSONDecodeError("Expecting value", "x", 0),
    "os": lambda: FileNotFoundError(2, "No such file or directory", "/nowhere"),
    "key": lambda: KeyError("k"),
    "exit": lambda: SystemExit(3),
    "import": lambda: ModuleNotFoundError("No module named 'nope'", name="nope"),
    "process": lambda: subprocess.CalledProcessError(4, ["x"], output=b"", stderr=b""),
    "decimal": lambda: decimal.InvalidOperation([decimal.ConversionSyntax]),
    "re": lambda: re.error("missing ), unterminated subpattern", "(", 0),
    "struct": lambda: struct.error("short"),
    "binascii": lambda: binascii.Error("odd"),
    "zip": zipfile.BadZipFile,
    "http": lambda: http.client.IncompleteRead(b"ab", 3),
    "url": lambda: urllib.error.HTTPError("u", 500, "m", {"a": "b"}, None),
    "sqlite": lambda: sqlite3.IntegrityError("i"),
    "queue": queue.Empty,
    "config": lambda: configparser.NoOptionError("x", "DEFAULT"),
    "csv": csv.Error,
    "et": lambda: ET.ParseError("bad"),
    "cancelled": asyncio.CancelledError,
    "timeout": lambda: TimeoutError("late"),
    "group": lambda: ExceptionGroup("g", (ValueError("one"), TypeError("two"))),
    "basegroup": lambda: BaseExceptionGroup("g", [KeyboardInterrupt(), GeneratorExit()]),
    "strict": Strict,
    "stop": lambda: StopIteration(5),
    "incomplete": lambda: asyncio.IncompleteReadError(b"", None),
    "calendar": lambda: calendar.IllegalMonthError(13),
    "tar": lambda: tarfile.ReadError("t"),
    "frozen": lambda: dataclasses.FrozenInstanceError("x"),
    "ip": lambda: ipaddress.AddressValueError("x"),
    "same": lambda: shutil.SameFileError("a"),
    "genexit": GeneratorExit,
    "kbd": KeyboardInterrupt,
    "unbound": lambda: UnboundLocalError("zz", name="zz"),
    "syntax": lambda: SyntaxError("never closed", ("f", 1, 1, "(", 1, 1)),
    "lookup": LookupError,
    "warning": lambda: UserWarning("w"),
}


def boom(name):
    if name == "unicode":
        decode()
    if name == "recursion":
        deep()
    if name == "custom":
        raise Custom.of(1) from KeyError("x")
    raise MADE[name]()


def call(f):
    try:
        return f()
    except BaseException as error:
        error.add_note("on its way")
        raise
