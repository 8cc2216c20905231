import asyncio, json, subprocess, decimal, re, struct, binascii, zipfile, http.client, urllib.error, socket, sqlite3, queue, configparser, csv, tarfile, xml.etree.ElementTree as ET, string, enum, concurrent.futures, calendar, locale, shutil, email.errors, ssl, ipaddress, dataclasses
import pytest
import solution
from solution import boom, call, Custom, Strict

@pytest.mark.parametrize("name,kind", [
    ("unicode", UnicodeDecodeError), ("json", json.JSONDecodeError), ("os", FileNotFoundError), ("key", KeyError),
    ("exit", SystemExit), ("import", ImportError), ("process", subprocess.CalledProcessError), ("decimal", decimal.InvalidOperation),
    ("re", re.error), ("struct", struct.error), ("binascii", binascii.Error), ("zip", zipfile.BadZipFile),
    ("http", http.client.IncompleteRead), ("url", urllib.error.HTTPError), ("sqlite", sqlite3.IntegrityError), ("queue", queue.Empty),
    ("config", configparser.NoOptionError), ("csv", csv.Error), ("et", ET.ParseError), ("cancelled", asyncio.CancelledError),
    ("timeout", TimeoutError), ("group", ExceptionGroup), ("basegroup", BaseExceptionGroup), ("custom", Custom), ("strict", Strict), ("stop", StopIteration),
    ("incomplete", asyncio.IncompleteReadError), ("calendar", calendar.IllegalMonthError), ("tar", tarfile.ReadError), ("frozen", dataclasses.FrozenInstanceError),
    ("ip", ipaddress.AddressValueError), ("same", shutil.SameFileError), ("genexit", GeneratorExit), ("kbd", KeyboardInterrupt), ("recursion", RecursionError),
    ("unbound", UnboundLocalError), ("syntax", SyntaxError), ("lookup", LookupError), ("warning", UserWarning),
])
def test_kinds(name, kind):
    with pytest.raises(kind):
        boom(name)

def test_attributes():
    with pytest.raises(UnicodeDecodeError) as e:
        boom("unicode")
    assert e.value.start == 0 and e.value.object == b"\xff"
    with pytest.raises(json.JSONDecodeError) as e:
        boom("json")
    assert e.value.pos == 0 and e.value.doc == "x" and e.value.lineno == 1
    with pytest.raises(OSError) as e:
        boom("os")
    assert e.value.errno == 2 and e.value.filename == "/nowhere"
    with pytest.raises(SystemExit) as e:
        boom("exit")
    assert e.value.code == 3
    with pytest.raises(subprocess.CalledProcessError) as e:
        boom("process")
    assert e.value.returncode == 4 and e.value.cmd == ["x"]
    with pytest.raises(KeyError, match="'k'") as e:
        boom("key")
    assert e.value.args == ("k",)
    with pytest.raises(Strict) as e:
        boom("strict")
    assert e.value.code == 7 and str(e.value) == "strict 7"
    with pytest.raises(Custom) as e:
        boom("custom")
    assert e.value.items == [1] and isinstance(e.value.__cause__, KeyError)
    with pytest.raises(ImportError) as e:
        boom("import")
    assert e.value.name == "nope"
    with pytest.raises(SyntaxError) as e:
        boom("syntax")
    assert e.value.lineno == 1
    with pytest.raises(http.client.IncompleteRead) as e:
        boom("http")
    assert e.value.partial == b"ab"

def test_group():
    with pytest.raises(ExceptionGroup) as e:
        boom("group")
    assert len(e.value.exceptions) == 2
    assert e.group_contains(ValueError, match="one")
    with pytest.RaisesGroup(ValueError, TypeError):
        boom("group")
    try:
        boom("group")
    except* ValueError as g:
        assert str(g.exceptions[0]) == "one"
    except* TypeError:
        pass

class Mine(Exception):
    def __init__(self, a, *, b):
        super().__init__(a)
        self.b = b

class Fussy(Exception):
    def __new__(cls, a, b):
        return super().__new__(cls, a, b)

def test_through():
    def bad():
        raise Mine(1, b=2)
    with pytest.raises(Mine) as e:
        call(bad)
    assert e.value.b == 2
    def fussy():
        raise Fussy(1, 2)
    with pytest.raises(Fussy):
        call(fussy)

def test_group_through():
    inner = [ValueError("x"), TypeError("y")]
    def bad():
        raise ExceptionGroup("several", inner)
    with pytest.raises(ExceptionGroup, match="several") as e:
        call(bad)
    assert list(e.value.exceptions) == inner

@pytest.mark.parametrize("error", [UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), json.JSONDecodeError("m", "doc", 1), OSError(2, "no", "f"),
    urllib.error.HTTPError("u", 404, "m", {}, None), http.client.IncompleteRead(b"a", 2), configparser.NoOptionError("a", "b"), asyncio.IncompleteReadError(b"", 3), BaseExceptionGroup("b", [KeyboardInterrupt()]), ExceptionGroup("o", [ExceptionGroup("i", [KeyError(1)])])], ids=lambda e: type(e).__name__)
def test_library_through(error):
    def bad():
        raise error
    with pytest.raises(type(error)) as e:
        call(bad)
    assert e.value is error
