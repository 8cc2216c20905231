import sys; sys.path.insert(0, "/tmp/kattis")
from sandboxes.interface import Tier
from tests.integration.test_stdio_interactive import graded, RIGHT
def test_it(tiers, capsys):
    with tiers.at_least(Tier.CONTAINER).session() as s:
        for n in range(8):
            [c], f = graded(s, RIGHT)
            with capsys.disabled(): print(c.outcome, c.end, c.note, c.seconds, c.cpu_seconds)
