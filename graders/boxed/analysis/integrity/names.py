"""How tests, their answers and the harness around them are called."""

import re

_WORDS = r"hidden|expected|answers?|reference|canonical|oracle|gold(?:en)?|grader|grading|checker|judge|harness|verdict|answer_?key|conftest"
_PLAIN_WORDS = r"tests?|testcases?|cases|truth|solutions?|evaluator|report|results?"
_EDGE, _END = r"(?:^|[/\\*_.-])", r"(?:$|[/\\*_.-])"
TEST_FILE = re.compile(
    rf"(?i){_EDGE}(?:{_WORDS}){_END}|\.ans$|pytest|junit|\.coverage|__pycache__|\.pyc$|site-packages|\.git[/\\]|"
    rf"{_EDGE}(?:{_PLAIN_WORDS})(?:[/\\]|[\w*-]*\.pyc?$|\*|$)|(?:^|[/\\*])[\w*-]*(?:test|case)s?[\w*-]*\.py$"
)
"""Paths of tests and of what they know: a word that data seldom has, a folder of tests, or a test's code."""
PLAIN_FILE = re.compile(rf"(?i){_EDGE}(?:{_PLAIN_WORDS}){_END}")
"""Names that data of one's own has as well: `results.csv`, `test.in`."""
TEST_MODULE = re.compile(
    r"(?i)^(?:tests?|hidden\w*|test_\w+|\w+_tests?|reference\w*|\w*_reference|canonical\w*|oracle|grader\w*|checker|judge|"
    r"expected\w*|answers?|answer_key|solution_ref|ref_?\w*solution|ref|gold\w*|conftest|harness|call_driver|graders|"
    r"test_?cases?|evaluator|verifier|hidden_tests)$"
)
DETECTED = re.compile(
    r"(?i)pytest|unittest|nose|doctest|hypothesis|_pytest|coverage|grader|harness|sandbox|hidden_test"
)
"""Names that a program looks up to find out whether it is being tested."""
SECRET = re.compile(
    r"(?i)pytest|nonce|\bexpect|answer|grader|grading|hidden|harness|verdict|assay|\bans\b|oracle|test_?case|current_test"
)
"""Variables of an examination. A program's own token, secret or report is called otherwise."""
PLACES_AROUND = frozenset(("/", "..", "../", "/*", "../*", "/**", "~"))
"""Places that no program owns."""
PLACES_HERE = frozenset(
    (".", "./", "*", "**", "**/*", "*.*", "*.py", "**/*.py", "*.pyc", "*.ans", "*.out", "*.jsonl", "./*")
)
"""Patterns for everything, or all code, in the working directory."""
DATA_FOLDER = re.compile(
    r"(?i)(?:^|[/\\])(?:data|assets?|resources?|res|static|templates?|config|conf|etc|inputs?|files|media|images?|docs?|lib|src|package|locales?|fixtures|dictionar(?:y|ies))(?:$|[/\\.])"
)
DATA_FILE = re.compile(
    r"(?i)\.(?:txt|csv|tsv|json|ya?ml|toml|ini|cfg|xml|md|html?|j2|tmpl|sql|png|jpe?g|svg|gif|wav|dat|bin|log|tmp|bak|npy|lst|words|po|css|js)$"
)
"""Names with a suffix of a kind of data."""
