"""Programs that tell how an interpreter ended: each prints something only then, or would lose it."""

ENDS = {
    "writer-of-the-descriptor": "out = open(1, 'w')\nout.write('kept')",
    "writer-in-a-function": "def f(out=open(1, 'w')): out.write('kept')\nf()",
    "writer-in-bytes": "import os\nout = os.fdopen(os.dup(1), 'wb')\nout.write(b'kept')",
    "swapped-stdout": "import io, sys\nreal, sys.stdout = sys.stdout, io.StringIO()\nprint('lost')\nreal.write('kept')",
    "wrapped-stdout": "import io, sys\nsys.stdout = io.TextIOWrapper(sys.stdout.buffer)\nprint('kept')",
    "detached-stdout": "import io, sys\nsys.stdout = io.TextIOWrapper(sys.stdout.detach())\nprint('kept')",
    "buffer-of-stdout": "import sys\nsys.stdout.buffer.write(b'kept')",
    "dunder-stdout": "import sys\nsys.stdout = None\nsys.__stdout__.write('kept')",
    "no-stdout-at-all": "import sys\nsys.stdout = sys.__stdout__ = None",
    "stdout-is-no-file": "import sys\nclass Out:\n    def write(self, text): sys.__stderr__.write(text)\nsys.stdout = Out()\nprint('kept')",
    "stdout-in-a-cycle": "import sys\nclass Out:\n    def __init__(self): self.me, self.out = self, open(1, 'w')\nheld = Out()\nheld.out.write('kept')",
    "writer-in-a-closure": "def make():\n    out = open(1, 'w')\n    def put(text): out.write(text)\n    return put\nput = make()\nput('kept')",
    "codecs-writer": "import codecs, sys\nout = codecs.getwriter('utf-8')(open(1, 'wb'))\nout.write('kept\u00e9')",
    "compressed": "import gzip\nout = gzip.open('x.gz', 'wt')\nout.write('kept')\ndel out\nprint(gzip.open('x.gz', 'rt').read())",
    "compressed-at-the-end": "import gzip, sys\nout = gzip.GzipFile(fileobj=open(1, 'wb'), mode='wb', mtime=0, compresslevel=0)\nout.write(b'kept')",
    "logging-to-a-writer": "import logging\nlogging.basicConfig(stream=open(1, 'w'), level=10)\nlogging.info('kept')",
    "logging-of-a-file": "import logging, sys\nlogging.getLogger().addHandler(logging.FileHandler('/dev/null'))\nlogging.warning('x')\nprint('kept')",
    "logging-in-memory": (
        "import logging, logging.handlers, sys\nto = logging.StreamHandler(sys.stdout)\n"
        "logging.getLogger().addHandler(logging.handlers.MemoryHandler(100, target=to))\nlogging.warning('kept')"
    ),
    "held-by-a-module-that-was-there": "import os\nos.held = open(1, 'w')\nos.held.write('kept')",
    "destructor-held-by-a-module-that-was-there": "import os\nclass A:\n    def __del__(self): print('kept')\nos.held = A()",
    "destructor": "class A:\n    def __del__(self): print('end')\na = A()\nprint('body')",
    "destructor-uses-globals": "import os\nword = 'end'\nclass A:\n    def __del__(self): print(word, os.getcwd(), __name__, helper())\ndef helper(): return len(word)\na = A()",
    "destructors-in-order": "class A:\n    def __init__(self, n): self.n = n\n    def __del__(self): print(self.n)\na, b, c = A(1), A(2), A(3)\ndel b",
    "destructor-in-a-cycle": "class A:\n    def __del__(self): print('end')\na = A()\na.me = a",
    "destructor-of-garbage": "class A:\n    def __del__(self): print('end', bool(__import__('sys').modules))\na = A()\na.me = a\ndel a",
    "destructor-without-collector": "import gc\ngc.disable()\nclass A:\n    def __del__(self): print('end')\na = A()\na.me = a",
    "destructor-without-slots": "class A:\n    __slots__ = ()\n    def __del__(self): print('end')\na = A()",
    "destructor-raises": "class A:\n    def __del__(self): raise ValueError('late')\na = A()",
    "destructor-exits": "import sys\nclass A:\n    def __del__(self): sys.exit(3)\na = A()",
    "destructor-leaves": "import os\nclass A:\n    def __del__(self): os._exit(3)\na = A()\nprint('lost')",
    "destructor-kills": "import os\nclass A:\n    def __del__(self): os.kill(os.getpid(), 9)\na = A()\nprint('kept', flush=True)",
    "destructor-revives": "held = []\nclass A:\n    def __del__(self): print('end'); held.append(self)\na = A()",
    "destructor-imports": "class A:\n    def __del__(self):\n        try: import wave\n        except ImportError: print('too late')\na = A()",
    "destructor-after-exit": "import sys\nclass A:\n    def __del__(self): print('end')\na = A()\nsys.exit(4)",
    "destructor-after-a-crash": "class A:\n    def __del__(self): print('end')\na = A()\ndef f(x): return 1 / 0\nf(A())",
    "destructor-of-a-class": "class M(type):\n    def __del__(self): print('end of', self.__name__)\nclass A(metaclass=M): pass",
    "destructor-of-a-local-module": "import job_helper\nprint('body')",
    "generator-is-closed": "def g():\n    try: yield 1\n    finally: print('end')\nheld = g()\nnext(held)",
    "context-is-left": "import contextlib\n@contextlib.contextmanager\ndef c():\n    try: yield\n    finally: print('end')\nheld = c()\nheld.__enter__()",
    "finalizer": "import weakref\nclass A: pass\na = A()\nweakref.finalize(a, print, 'end')\nprint('body')",
    "weak-callback": "import weakref\nclass A: pass\na = A()\nr = weakref.ref(a, lambda _: print('gone'))\nprint('body')",
    "hooks-then-destructors": "import atexit\natexit.register(print, 'hook')\nclass A:\n    def __del__(self): print('destructor')\na = A()",
    "threads-then-hooks": (
        "import atexit, threading, time\natexit.register(print, 'hook')\nclass A:\n    def __del__(self): print('destructor')\n"
        "a = A()\nthreading.Thread(target=lambda: (time.sleep(0.1), print('thread'))).start()"
    ),
    "daemon-thread-holds": (
        "import threading\nbegun = threading.Event()\nclass A:\n    def __del__(self): print('end')\n"
        "def f(a=None):\n    a = A(); begun.set(); threading.Event().wait()\n"
        "threading.Thread(target=f, daemon=True).start()\nbegun.wait()\nprint('body')"
    ),
    "reader-has-gone": "import os, sys\nr, w = os.pipe()\nos.dup2(w, 1)\nos.close(w); os.close(r)\nprint('lost')",
    "device-is-full": "import os, sys\nos.dup2(os.open('/dev/full', 1), 1)\nprint('lost')",
    "closed-descriptor": "import os\nprint('lost')\nos.close(1)",
    "temporary-folder": "import tempfile\nheld = tempfile.TemporaryDirectory()\nprint('kept')",
    "database": "import sqlite3\nheld = sqlite3.connect('x.db')\nheld.execute('create table t (a)')\nprint('kept')",
    "pool-of-threads": "from concurrent.futures import ThreadPoolExecutor\nheld = ThreadPoolExecutor(2)\nheld.submit(print, 'kept')",
    "child-flushes": "import os\nout = open(1, 'w')\nif os.fork() == 0:\n    out.write('child')\nelse:\n    os.wait()\n    out.write('parent')",
    "children-write": (
        "import multiprocessing as m\ndef f(n):\n    print('child', n)\n"
        "if __name__ == '__main__':\n    for n in range(3):\n        p = m.Process(target=f, args=(n,)); p.start(); p.join()\n    print('parent')"
    ),
    "modules-replaced": "import sys\nsys.modules = {}\nclass A:\n    def __del__(self): print('end')\na = A()",
    "functions-replaced": "import gc, os\ngc.collect = gc.get_objects = None\nprint('kept')",
    "main-is-kept": "import os, __main__\nos.main = __main__\nclass A:\n    def __del__(self): print('end')\na = A()",
    "an-odd-metaclass": "import os\nclass M(type):\n    def __getattr__(self, name): raise KeyError(name)\nclass A(metaclass=M): pass\nos.held = A()\nprint('kept')",
    "last-expression": "import sys\nprint(sys.modules['__main__'].__name__)",
    "large-integer": "print(len(str(10 ** 6000)), len('%d' % 10 ** 9000), int('7' * 5000) % 9, 10 ** 5000)",
    "large-integer-of-a-child": "import subprocess, sys\nprint(subprocess.run([sys.executable, '-c', 'print(10**5000)'], capture_output=True).returncode)",
}
