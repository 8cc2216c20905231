"""Programs that use their streams by name."""

NAMED = {
    "reads": "for path in ('/dev/stdin', '/dev/fd/0', '/proc/self/fd/0'):\n    with open(path) as f: print(path, f.readline())",
    "reads-all": "print(open('/dev/stdin').read().upper())",
    "writes": "for path in ('/dev/stdout', '/dev/fd/1', '/proc/self/fd/1'):\n    with open(path, 'w') as f: f.write(path + '\\n')",
    "writes-on-stderr": "for path in ('/dev/stderr', '/dev/fd/2', '/proc/self/fd/2'):\n    with open(path, 'w') as f: f.write(path + '\\n')",
    "appends": "with open('/dev/stdout', 'a') as f: f.write('kept')",
    "unbuffered": "with open('/dev/stdout', 'wb', 0) as f: f.write(b'kept')",
    "by-number": "import os\nf = open('own', 'w+'); f.write('kept'); f.flush()\nprint(open(f'/dev/fd/{f.fileno()}').read(), os.path.samefile(f'/proc/self/fd/{f.fileno()}', 'own'))",
    "of-a-folder": "import os\nos.mkdir('own'); fd = os.open('own', os.O_RDONLY)\nopen(f'/proc/self/fd/{fd}/x', 'w').close(); print(os.listdir('own'))",
    "of-a-pipe": "import os\nr, w = os.pipe()\nopen(f'/dev/fd/{w}', 'w').write('kept'); os.close(w)\nprint(open(f'/dev/fd/{r}').read())",
    "what-is-open": "import os\nprint(sorted(os.listdir('/dev/fd'))[:3], sorted(os.listdir('/proc/self/fd'))[:3])",
    "of-a-thread": "import threading\nt = threading.Thread(target=lambda: print(open('/dev/stdin').read())); t.start(); t.join()",
    "of-what-it-becomes": "import os\nos.execvp('cat', ['cat', '/dev/stdin'])",
    "closed": "import os\nos.close(0)\ntry: open('/dev/stdin')\nexcept OSError as e: print(type(e).__name__)",
    "is-it-there": "import os\nprint([os.path.exists(p) for p in ('/dev/stdin', '/dev/stdout', '/dev/stderr', '/dev/fd/0', '/proc/self/fd/1')])",
    "its-kind": "import os, stat\nprint([stat.S_ISFIFO(os.stat(p).st_mode) for p in ('/dev/stdin', '/dev/stdout')])",
    "shell": "import os\nos.system('echo kept > /tmp/x; cat /tmp/x')",
}
