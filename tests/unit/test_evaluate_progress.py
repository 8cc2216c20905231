"""Progress in a log: few lines, each true."""

import io

from service.progress import LineProgress, shown_progress


def test_lines_say_rate_and_time_left() -> None:
    stream = io.StringIO()
    times = iter([0.0, 1.0, 10.0, 11.0, 20.0])
    progress = LineProgress(stream, clock=lambda: next(times))
    progress.start("samples", total=6, done=2)
    for _ in range(4):
        progress.advance()
    assert stream.getvalue().splitlines() == [
        "samples: 2 of 6 are there already",
        "samples: 4 of 6 (0.2/s, 10 s left)",
        "samples: 6 of 6 (0.2/s)",
    ]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_bar() -> None:
    stream = Terminal()
    with shown_progress(stream) as progress:
        progress.start("samples", total=2, done=1)
        progress.advance()
    assert "2/2" in stream.getvalue()
    assert "\x1b[" in stream.getvalue()
