"""`assay eval` from a benchmark's file to results, with a service of its own and real boxes."""

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from sandboxes.interface import Sandbox
from service.cli.main import app

TASKS: list[dict[str, Any]] = [
    {  # HumanEval+
        "task_id": "Made/halve",
        "prompt": 'def halve(x):\n    """ Half of x. """\n',
        "entry_point": "halve",
        "canonical_solution": "    return x / 2\n",
        "test": "def check(candidate):\n    assert candidate(3) == 1.5\n",
        "base_input": [[3]],
        "plus_input": [[0], [-1.5]],
        "atol": 0,
    },
    {  # HumanEval+, several right answers
        "task_id": "Made/zero",
        "prompt": "def find_zero(xs):\n",
        "entry_point": "find_zero",
        "canonical_solution": "    return 1.0\n",
        "test": "def check(candidate):\n    pass\n",
        "base_input": [[[-1, 0, 1, 0]]],
        "plus_input": [],
        "atol": 1e-4,
    },
    {  # HumanEval
        "task_id": "Made/quarter",
        "prompt": 'def twice(x):\n    return 2 * x\n\n\ndef quarter(x):\n    """ A quarter. """\n',
        "entry_point": "quarter",
        "canonical_solution": "    return x / 4\n",
        "test": "def check(candidate):\n    assert candidate(twice(twice(5))) == 5\n",
    },
    {  # MBPP+, tuples
        "task_id": "Mbpp/2",
        "prompt": '"""\nShared elements.\n"""\n',
        "entry_point": "similar_elements",
        "canonical_solution": "\ndef similar_elements(a, b):\n    return tuple(set(a) & set(b))\n",
        "assertion": "assert True",
        "base_input": [[[3, 4, 5], [5, 4, 7]]],
        "plus_input": [],
        "atol": 0,
    },
    {  # MBPP+, match objects
        "task_id": "Mbpp/787",
        "prompt": '"""\nMatch ab.\n"""\n',
        "entry_point": "text_match_three",
        "canonical_solution": "\nimport re\ndef text_match_three(text):\n    return re.search('ab', text)\n",
        "assertion": "assert True",
        "base_input": [["ab"], ["ba"]],
        "plus_input": {},
        "atol": 0,
    },
]
SAMPLES: dict[str, tuple[str, dict[str, str]]] = {
    "passed, as completed": ("Made/halve", {"completion": "    return x * 0.5\n"}),
    "passed, within tolerance": ("Made/halve", {"solution": "def halve(x):\n    return x / 2 + 1e-8\n"}),
    "failed, integers only": ("Made/halve", {"solution": "def halve(x):\n    return x // 2\n"}),
    "failed, text": ("Made/halve", {"solution": "def halve(x):\n    return str(x / 2)\n"}),
    "failed, exits": ("Made/halve", {"solution": "import os\nos._exit(0)\n"}),
    "failed, no Python": ("Made/halve", {"solution": "def halve(x)\n    return x / 2\n"}),
    "passed, the other root": ("Made/zero", {"completion": "    return -1.0\n"}),
    "failed, no root": ("Made/zero", {"completion": "    return 0.5\n"}),
    "passed, helper of the prompt": ("Made/quarter", {"solution": "def quarter(x):\n    return x / 4\n"}),
    "failed, half": ("Made/quarter", {"completion": "    return x / 2\n"}),
    "passed, a list will do": (
        "Mbpp/2",
        {"solution": "def similar_elements(a, b):\n    return [x for x in a if x in b]\n"},
    ),
    "failed, lists are called": (
        "Mbpp/2",
        {"solution": "def similar_elements(a, b):\n    return (4, 5) if a is list(a) else ()\n"},
    ),
    "passed, a match": ("Mbpp/787", {"solution": "import re\ntext_match_three = re.compile('ab').search\n"}),
    "failed, always": ("Mbpp/787", {"solution": "def text_match_three(text):\n    return True\n"}),
}


def test_each_kind_of_task_is_judged_as_its_benchmark_judges(tmp_path: Path, sandbox: Sandbox) -> None:
    tasks, samples, out = tmp_path / "tasks.jsonl", tmp_path / "samples.jsonl", tmp_path / "results.jsonl"
    tasks.write_text("".join(f"{json.dumps(task)}\n" for task in TASKS))
    rows = ({"id": id, "task_id": task_id, **body} for id, (task_id, body) in SAMPLES.items())
    samples.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    line = ["eval", str(tasks), "--samples", str(samples), "--out", str(out)]
    result = CliRunner().invoke(app, line, env={"ASSAY_HOME": str(tmp_path / "home")})
    assert result.exit_code == 0, (result.output, result.exception)
    results = {row["id"]: row for row in map(json.loads, out.read_text().splitlines())}
    assert {id: row["outcome"] for id, row in results.items()} == {id: id.partition(",")[0] for id in SAMPLES}
    assert results["passed, as completed"]["cases"] == {
        "passed": 3,
        "failed": 0,
        "disputed": 0,
        "not_tried": 0,
        "total": 3,
        "share": 1.0,
    }
    assert results["passed, as completed"]["levels"]["correctness"] == 4
    assert set(results["failed, exits"]["flags"]) >= {"assay/early-exit"}
    assert results["failed, integers only"]["ends"] == {"exited": 1}
