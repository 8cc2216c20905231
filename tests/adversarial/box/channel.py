"""Attacks on the channel of a conversation: file descriptor 3, and the host's side of it."""

from sandboxes.interface import Behaviour, End
from tests.adversarial.box.attack import attack

LEFT = (End.EXITED,)
BROKE = (Behaviour.CHANNEL,)

CHANNEL = (
    attack("closes it", "question(); os.close(3); time.sleep(60)", End.EXITED, End.WALL_TIMEOUT, answers=(None, None)),
    attack("closes its writing half", "socket.socket(fileno=os.dup(3)).shutdown(socket.SHUT_WR)\ntime.sleep(60)", End.EXITED, End.WALL_TIMEOUT, answers=(None,)),
    attack("closes its reading half", "socket.socket(fileno=os.dup(3)).shutdown(socket.SHUT_RD)\nanswer(b'y')\ntime.sleep(60)", End.EXITED, End.WALL_TIMEOUT, answers=(..., None)),
    attack("garbage", "question(); os.write(3, os.urandom(65536))\ntime.sleep(60)", End.EXITED, End.WALL_TIMEOUT, answers=(None,)),
    attack("four gigabytes announced", "question(); os.write(3, b'\\xff\\xff\\xff\\xff')\ntime.sleep(60)", *LEFT, answers=(None, None), evidence=BROKE),
    attack("a flood", "question()\nwhile True: os.write(3, b'\\xff' * 65536)", *LEFT, answers=(None,), evidence=BROKE),
    attack("a flood before any question", "while True: os.write(3, b'\\0' * 65536)", End.EXITED, End.CPU_TIMEOUT, answers=(..., ..., None)),
    attack("two answers", "while True: question(); os.write(3, b'\\0\\0\\0\\1y\\0\\0\\0\\1z')", *LEFT, answers=(..., None), evidence=BROKE),
    attack("an answer without an end", "question(); os.write(3, struct.pack('>I', 100) + b'x')\ntime.sleep(60)", End.WALL_TIMEOUT, answers=(None,)),
    attack("half a length", "question(); os.write(3, b'\\0\\0')\nos._exit(0)", *LEFT, answers=(None,)),
    attack("byte by byte", "while True:\n question()\n for b in struct.pack('>I', 300) + b'z' * 300: os.write(3, bytes([b]))", *LEFT, answers=(b"z" * 300,) * 3),
    attack("an answer of nothing", "while True: question(); answer(b'')", *LEFT, answers=(b"",) * 3),
    attack("two hundred megabytes", "question(); os.write(3, struct.pack('>I', 200 << 20))\nwhile True: os.write(3, bytes(1 << 16))", *LEFT, answers=(None,), evidence=BROKE),
    attack("sixteen megabytes and one", "question(); os.write(3, struct.pack('>I', (16 << 20) + 1))\ntime.sleep(60)", *LEFT, answers=(None,), evidence=BROKE),
    attack("as long as it may be", "question(); answer(bytes(16 << 20)); question()", *LEFT, answers=(bytes(16 << 20),)),
    attack("deeply nested JSON", "question(); answer(b'[' * 1000000 + b']' * 1000000); question()", *LEFT, answers=(b"[" * 1000000 + b"]" * 1000000,)),
    attack("reads no question", "import signal\nsignal.pause()", End.WALL_TIMEOUT, question=bytes(4 << 20), answers=(None,)),
    attack("reads a question slowly", "while True: os.read(3, 1)", End.WALL_TIMEOUT, End.CPU_TIMEOUT, question=bytes(4 << 20), answers=(None,)),
    attack("exits in the answer", "question(); os.write(3, struct.pack('>I', 9) + b'abc')\nos._exit(0)", *LEFT, answers=(None, None)),
    attack("dies in the answer", "question(); os.write(3, struct.pack('>I', 9) + b'abc')\nos.kill(os.getpid(), 9)", End.SIGNALLED, answers=(None, None)),
    attack("answers and dies", "question(); answer(b'last'); os.kill(os.getpid(), 9)", End.SIGNALLED, answers=(b"last", None)),
    attack("stops in the answer", "question(); os.write(3, struct.pack('>I', 9) + b'abc')\nos.kill(os.getpid(), 19)", End.WALL_TIMEOUT, answers=(None,)),
    attack(
        "a child that outlives it holds it",
        """
        if os.fork() == 0:
            os.setsid()
            while True: os.read(3, 1); time.sleep(0.01)
        os._exit(0)
        """,
        *LEFT,
        answers=(None, None),
    ),
    attack(
        "a child answers in its place",
        """
        if os.fork() == 0:
            while True: answer(question())
        os._exit(0)
        """,
        *LEFT,
        answers=(..., ..., ...),
    ),
    attack(
        "many answer at once",
        """
        for _ in range(10):
            if os.fork() == 0: break
        while True: question(); answer(str(os.getpid()).encode() * 100)
        """,
        End.EXITED,
        End.WALL_TIMEOUT,
        answers=(..., ..., ...),
    ),
    attack(
        "descriptors sent to the host",
        """
        fds = [os.open("/dev/null", os.O_RDONLY) for _ in range(200)]
        channel = socket.socket(fileno=os.dup(3))
        for _ in range(3):
            question()
            socket.send_fds(channel, [struct.pack(">I", 1) + b"y"], fds)
        """,
        *LEFT,
        answers=(b"y", b"y", b"y"),
    ),
    attack(
        "the channel itself sent to the host",
        """
        channel = socket.socket(fileno=os.dup(3))
        question(); socket.send_fds(channel, [struct.pack(">I", 1) + b"y"], [3, 0, 1, 2]); question()
        """,
        *LEFT,
        answers=(b"y",),
    ),
    attack(
        "urgent bytes",
        """
        channel = socket.socket(fileno=os.dup(3))
        question()
        try: channel.send(b"\\xff\\xff\\xff", socket.MSG_OOB)
        except OSError: pass
        answer(b"y")
        time.sleep(60)
        """,
        End.EXITED,
        End.WALL_TIMEOUT,
        answers=(...,),
    ),
    attack(
        "odd settings of the socket",
        """
        channel = socket.socket(fileno=os.dup(3))
        for option in range(1, 80):
            for value in (0, 1, 1 << 30):
                if option in (socket.SO_SNDTIMEO, socket.SO_RCVTIMEO): continue
                try: channel.setsockopt(socket.SOL_SOCKET, option, value)
                except OSError: pass
        for call in (lambda: channel.connect("x"), lambda: channel.bind("/tmp/s"), lambda: channel.listen(1), lambda: channel.connect("\\0x")):
            try: call()
            except OSError: pass
        try: answer(question())
        except OSError: pass
        """,
        End.EXITED,
        End.WALL_TIMEOUT,
        answers=(...,),
    ),
    attack("never blocks", "os.set_blocking(3, False)\nwhile True:\n try: os.read(3, 1); os.write(3, b'\\0\\0\\0\\0')\n except OSError: pass", End.EXITED, End.CPU_TIMEOUT, End.WALL_TIMEOUT, answers=(...,)),
    attack("will not leave", "import signal\nsignal.signal(15, signal.SIG_IGN)\nanswer(question())\nwhile True: signal.pause()", *LEFT, answers=(b"x",)),
    attack("spins instead of leaving", "answer(question())\nwhile True: pass", End.EXITED, answers=(b"x",)),
    attack("works on the question for ever", "question()\nwhile True: pass", End.WALL_TIMEOUT, End.CPU_TIMEOUT, answers=(None,)),
    attack("forks on the question", "question()\nwhile True:\n try: os.fork()\n except OSError: pass", End.WALL_TIMEOUT, End.CPU_TIMEOUT, End.PROCESS_LIMIT, End.OUT_OF_MEMORY, cpu_seconds=1, answers=(None,)),
    attack("eats its memory on the question", "question()\nx = []\nwhile True: x.append(bytearray(1 << 20))", End.OUT_OF_MEMORY, answers=(None, None)),
    attack("exits before the question", "os._exit(5)", *LEFT, answers=(None, None)),
)  # fmt: skip
