import asyncio, json, subprocess, decimal, re, struct, binascii, zipfile, http.client, urllib.error, sqlite3, queue, configparser, csv, xml.etree.ElementTree as ET, calendar, tarfile, dataclasses, ipaddress, shutil
class Custom(Exception):
    def __init__(self, message, items):
        super().__init__(message)
        self.items = items
class Strict(ValueError):
    def __new__(cls, *, code):
        return super().__new__(cls)
    def __init__(self, *, code):
        super().__init__(f"strict {code}")
        self.code = code
def boom(name):
    if name == "unicode": b"\xff".decode()
    if name == "json": json.loads("x")
    if name == "os": open("/nowhere")
    if name == "key": {}["k"]
    if name == "exit": raise SystemExit(3)
    if name == "import": import nope
    if name == "process": raise subprocess.CalledProcessError(4, ["x"])
    if name == "decimal": decimal.Decimal("x")
    if name == "re": re.compile("(")
    if name == "struct": struct.unpack("i", b"")
    if name == "binascii": binascii.unhexlify("x")
    if name == "zip": raise zipfile.BadZipFile("z")
    if name == "http": raise http.client.IncompleteRead(b"ab", 3)
    if name == "url": raise urllib.error.HTTPError("u", 404, "m", {}, None)
    if name == "sqlite": raise sqlite3.IntegrityError("i")
    if name == "queue": queue.Queue().get_nowait()
    if name == "config": configparser.ConfigParser().get("DEFAULT", "x")
    if name == "csv": raise csv.Error("c")
    if name == "et": ET.fromstring("<")
    if name == "cancelled": raise asyncio.CancelledError
    if name == "timeout": raise asyncio.TimeoutError
    if name == "group": raise ExceptionGroup("g", [ValueError("one"), TypeError("two")])
    if name == "basegroup": raise BaseExceptionGroup("g", [SystemExit(1)])
    if name == "custom":
        try: {}["x"]
        except KeyError as e: raise Custom("c", [1]) from e
    if name == "strict": raise Strict(code=7)
    if name == "stop": next(iter(()))
    if name == "incomplete": raise asyncio.IncompleteReadError(b"", 3)
    if name == "calendar": calendar.monthrange(2000, 13)
    if name == "tar": raise tarfile.ReadError("t")
    if name == "frozen":
        @dataclasses.dataclass(frozen=True)
        class A: x: int
        A(1).x = 2
    if name == "ip": ipaddress.IPv4Address("x")
    if name == "same": raise shutil.SameFileError("a")
    if name == "genexit": raise GeneratorExit
    if name == "kbd": raise KeyboardInterrupt
    if name == "recursion":
        def f(): f()
        f()
    if name == "unbound":
        print(zz); zz = 1
    if name == "syntax": compile("(", "f", "exec")
    if name == "lookup": raise LookupError
    if name == "warning": raise UserWarning("w")
def call(f):
    return f()
