"""Answers that once kept the host busy, or filled it: each is judged, with every checker, in the time and memory of an honest one.

In a process of its own whose processor time and memory are limited. What each cost before is in its comment.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CPU_SECONDS = 30
"""The slowest takes two on a quiet machine; what they once took was minutes, hours or for ever."""
MEMORY_MIB = 1024

LIMITED = f"""
import json, resource, sys
resource.setrlimit(resource.RLIMIT_CPU, ({CPU_SECONDS}, {CPU_SECONDS}))
resource.setrlimit(resource.RLIMIT_AS, ({MEMORY_MIB} << 20, {MEMORY_MIB} << 20))
"""
PROGRAM = """
from graders.suites.call.runner import Answer, _Hearing, read_answer
from graders.suites.call.compare import check_named
from graders.suites.values.description import described
from graders.boxed.shared.encoding import EncodingError
from graders.suites.values.messages import SHOWN_CHARACTERS, read

def value(tree):
    return b'{{"nonce": "1", "value": ' + tree + b'}}'

def many(tree, size=4 << 20):
    return value(b'[' + b','.join([tree] * (size // (len(tree) + 1))) + b']')

def refs(tree, count):
    return value(b'[' + tree + b',{{"$ref":1}}' * count + b']')

def numbers(form, count):
    return value(form[0] + b','.join(form[1] % (n * ((1 << 61) - 1)) for n in range(count)) + form[2])

message = {message}
expected = [1.5, [1.0] * 2, {{1.5: 2}}, {{1, 2}}, {expected}]
try:
    answer = read(message)
except EncodingError as error:
    print("refused", error)
    sys.exit()
answered = read_answer(answer, 0.5)
assert answered.kind in ("value", "raised", "refused")
for name in ("exact", "float", "unordered", "any-of", "predicate"):
    check = None if name == "predicate" else check_named(name, absolute=1e-9, relative=1e-9)
    for wanted in expected:
        kept = _Hearing(check, [Answer("value", value=described(wanted))]).judged(0, answered)
        assert not kept.passed and kept.value is None
        assert len(kept.text) <= SHOWN_CHARACTERS and sum(map(len, kept.raised)) <= 10_000
        kept.text.encode()
print("judged")
"""

HOSTILE = {
    # InvalidOperation out of the comparison: the run was ungradable
    "a signalling nan": """value(b'{"$decimal":"sNaN"}')""",
    # comparing it with 1.5 made an integer of a thousand million digits
    "a decimal of a thousand million digits": """value(b'{"$decimal":"1E999999999"}')""",
    "many of them": """many(b'{"$decimal":"-7.00001E-888888888"}')""",
    "decimals of all digits there are": """value(b'{"$decimal":"' + b'1' * (15 << 20) + b'"}')""",
    # gcd takes the square of their length
    "a fraction of large numbers": """value(b'{"$fraction":[{"$int":"0x' + b'7' * (1 << 20) + b'"},{"$int":"0x' + b'3' * (1 << 20) + b'"}]}')""",
    "many fractions": """many(b'{"$fraction":[7,3]}', 2 << 20)""",
    # repr took 100 MB for each 1 MB sent
    "one page a thousand times": """refs(b'["' + b'x' * (10 << 20) + b'"]', 1000)""",
    "one bytearray a million times": """refs(b'{"$bytearray":"' + b'00' * (2 << 20) + b'"}', 100_000)""",
    "one list of a large integer": """refs(b'[{"$int":"0x' + b'f' * (1 << 20) + b'"}]', 100_000)""",
    "lists that are 2^90 values": """value(b'[' * 90 + b'1' + b'],{"$ref":89}]' + b''.join(b',{"$ref":%d}]' % n for n in range(88, 0, -1)))""",
    "a chain of references": """value(b'[[]' + b''.join(b',[{"$ref":%d}]' % n for n in range(1, 100_000)) + b']')""",
    # Python's hash of all these is 0
    "a set of colliding numbers": """numbers((b'{"$set":[', b'%d', b']}'), 100_000)""",
    "a dict of colliding keys": """numbers((b'{"$dict":[', b'[%d,1]', b']}'), 100_000)""",
    "a dict of colliding tuples": """numbers((b'{"$dict":[', b'[{"$tuple":[%d]},1]', b']}'), 100_000)""",
    "a set in a set of colliding numbers": """numbers((b'{"$set":[{"$frozenset":[', b'%d', b']}]}'), 100_000)""",
    "lists in another order": """value(b'[' + b','.join(b'[%d]' % n for n in range(100_000)) + b']')""",
    "large integers": """many(b'{"$int":"0x' + b'f' * (1 << 20) + b'"}')""",
    "the largest integers of JSON": """many(b'9' * 4300)""",
    "a larger one": """value(b'9' * (15 << 20))""",
    "a float of a million digits": """value(b'0.' + b'3' * (15 << 20))""",
    "a range of large numbers": """value(b'{"$range":[0,{"$int":"0x' + b'7' * (1 << 20) + b'"},{"$int":"0x' + b'7' * (1 << 19) + b'"}]}')""",
    "a range of 10^18": """value(b'{"$range":[0,1000000000000000000,1]}')""",
    "an array of a large shape": """value(b'{"$array":["<i8",[' + b','.join([b'9' * 4000] * 3000) + b'],[]]}')""",
    "many empty containers": """many(b'[]')""",
    "many objects": """many(b'{"$tuple":[]}')""",
    "many numbers": """many(b'1')""",
    "many texts": """many(b'"ab"')""",
    "brackets in a text": """value(b'"' + b'[{' * (7 << 20) + b'"')""",
    "brackets in a text that never ends": """b'["' + b'[' * 1_000_001 + b'\\\\"' * (6 << 20)""",
    "a deep tree": """value(b'[' * 1_000_000 + b']' * 1_000_000)""",
    "lone surrogates": """many(b'"' + b'\\\\ud800' * 100 + b'"')""",
    "times of all zones": """many(b'{"$datetime":"0001-01-01T00:00:00+23:59"}')""",
    "an exception of a million bases": """b'{"nonce":"1","raised":{"type":"' + b'E' * (4 << 20) + b'","mro":[' + b'"E",' * (2 << 20) + b'"F"],"message":[[1],{}]}}'""",
    "a name of a record": """value(b'{"$record":["' + b'R' * (5 << 20) + b'",[["' + b'f' * (5 << 20) + b'",1]]]}')""",
    "leading zeros": """value(b'{"$decimal":"' + b'0' * (15 << 20) + b'.5"}')""",
    "an object of a million keys": """value(b'{' + b','.join(b'"%d":0' % n for n in range(1_300_000)) + b'}')""",
    "short floats": """many(b'0.1', 15 << 20)""",
    "an array of a million floats": """value(b'{"$array":["<f8",[1000000],[' + b','.join([b'0.5'] * 1_000_000) + b']]}')""",
    "a set of lists": """value(b'[' + b','.join([b'{"$set":[[]]}'] * 300_000) + b']')""",
    "large denominators": """many(b'{"$fraction":[1,{"$int":"0x' + b'f' * (1 << 20) + b'"}]}', 15 << 20)""",
    "long texts beside a reference": """value(b'[[],' + b'{"$ref":1},' * 10 + b','.join([b'"' + b'y' * 100 + b'"'] * 100_000) + b']')""",
    "names of an enumeration": """value(b'{"$enum":["' + b'E' * (7 << 20) + b'","' + b'f' * (7 << 20) + b'",1]}')""",
    "a word of refusal": """b'{"nonce":"1","refused":"' + b'no ' * (5 << 20) + b'"}'""",
}  # fmt: skip
EXPECTED = {
    "one bytearray a million times": "[[bytearray(3)] * 100_000]",
    "one list of a large integer": "[[1.5] for _ in range(100_001)]",
    "one page a thousand times": '[["y"] for _ in range(1001)]',
    "lists in another order": "[[n] for n in range(1, 100_001)]",
    "a set of colliding numbers": "set(range(100_000))",
    "a dict of colliding keys": "dict.fromkeys(range(100_000), 1)",
    "many fractions": "[1.5] * 104_857",
    "long texts beside a reference": "[[]] * 11 + ['y' * 100] * 99_999 + ['z']",
}
"""What is as long as the answer, so that nothing is settled at a glance."""


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_it_is_judged_in_little_time_and_memory(name: str) -> None:
    said = run_limited(PROGRAM.format(message=HOSTILE[name], expected=EXPECTED.get(name, "'text'")))
    assert said.startswith(("judged", "refused"))


def run_limited(program: str) -> str:
    """What it prints. A program that runs into its limits fails the test."""
    run = subprocess.run(
        [sys.executable, "-c", LIMITED + program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr[-2000:]
    return run.stdout


@pytest.mark.parametrize(
    "got", ["b'9' * size + b'x'", "b'1.' + b'9' * size + b'x'", "b'1e' + b'9' * size + b'.'", "b'1\\n' * (size >> 2)"]
)
def test_printed_output_is_compared_in_little_time_and_memory(got: str) -> None:
    """Looking for a number in a token took the square of its length, and eight million lines were half a gigabyte."""
    program = f"""
from graders.suites.options import OptionTable
from graders.suites.stdio.comparison import Comparison
size = 4 << 20
got = {got}
for name in ("exact", "tokens", "float"):
    check = Comparison.of(OptionTable({{"checker": name}}, "suite")).check
    assert check(b"1", got) and check(got, b"1") and check(got, got + b"1") and not check(got, got)
print("compared")
"""
    assert run_limited(program) == "compared\n"
