"""Cases apart from what lists need of a run; whose submission it is; which signals submitters may read.

What is there is converted, a run at a time. It is read and written as JSON, so that later changes of the signals leave this
step as it is.
"""

import json
import re
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_LONG = ("given", "wanted", "got", "note")
_STATIC = frozenset({"assay/security", "assay/complexity", "assay/integrity"})
"""What these reported was read in the submission's own files."""
_DIGITS = re.compile(r"([0-9]+)")

_findings = sa.table(
    "findings",
    sa.column("run_id"),
    sa.column("signals", sa.LargeBinary),
    sa.column("prefills", sa.LargeBinary),
    sa.column("share", sa.Float),
    sa.column("submitter"),
)
_runs = sa.table("runs", sa.column("id"), sa.column("submission_id"))
_submissions = sa.table("submissions", sa.column("id"), sa.column("submitter"))
_keys = sa.table("idempotency_keys", sa.column("key"), sa.column("run_id"))
_cases = sa.table("cases", sa.column("run_id"), sa.column("outcomes", sa.LargeBinary))


def upgrade() -> None:
    for table in ("submissions", "findings"):
        op.add_column(table, sa.Column("submitter", sa.String(length=200), nullable=False, server_default=""))
    op.add_column("findings", sa.Column("share", sa.Float(), nullable=True))
    op.create_index(op.f("ix_findings_submitter_sequence"), "findings", ["submitter", "sequence"], unique=False)
    op.create_index(
        op.f("ix_findings_submitter_tag_sequence"), "findings", ["submitter", "tag", "sequence"], unique=False
    )
    op.create_table(
        "cases",
        sa.Column("run_id", sa.String(length=200), nullable=False),
        sa.Column("outcomes", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_cases_run_id_runs")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_cases")),
    )
    connection = op.get_bind()
    _name_submitters(connection)
    for run_id in connection.scalars(sa.select(_findings.c.run_id)).all():
        _convert(connection, run_id)


def _name_submitters(connection: sa.Connection) -> None:
    """From the idempotency keys, which have the token's name in them; of a submission without a key nobody knows it."""
    for key, run_id in connection.execute(sa.select(_keys.c.key, _keys.c.run_id)).all():
        name = str(json.loads(key)[0])
        of_run = sa.select(_runs.c.submission_id).where(_runs.c.id == run_id).scalar_subquery()
        connection.execute(sa.update(_submissions).where(_submissions.c.id == of_run).values(submitter=name))
        connection.execute(sa.update(_findings).where(_findings.c.run_id == run_id).values(submitter=name))


def _convert(connection: sa.Connection, run_id: str) -> None:
    row = connection.execute(sa.select(_findings).where(_findings.c.run_id == run_id)).one()
    signals, prefills = _unpack(row.signals), _unpack(row.prefills)
    for signal in (*signals, *(cited for prefill in prefills for cited in prefill["because"])):
        if signal["kind"] != "case":
            signal["public"] = signal["grader"] in _STATIC
    cases = [signal for signal in signals if signal["kind"] == "case"]
    places = {json.dumps(case): place for place, case in enumerate(cases)}
    _number(cases)
    for cited in (cited for prefill in prefills for cited in prefill["because"] if cited["kind"] == "case"):
        place = places.get(json.dumps(cited))
        if place is not None:
            cited |= {**dict.fromkeys(_LONG, ""), "number": cases[place]["number"], "at": place}
    others = [signal for signal in signals if signal["kind"] != "case"]
    connection.execute(
        sa.update(_findings)
        .where(_findings.c.run_id == run_id)
        .values(signals=_pack(others), prefills=_pack(prefills), share=_share(cases))
    )
    if cases:
        connection.execute(sa.insert(_cases).values(run_id=run_id, outcomes=_pack(cases)))


def _number(cases: Sequence[dict[str, Any]]) -> None:
    for suite in {case["suite"] for case in cases}:
        own = sorted((case for case in cases if case["suite"] == suite), key=lambda case: list(_parts(case["case"])))
        for number, case in enumerate(own, start=1):
            case["number"] = number


def _parts(id: str) -> Iterator[tuple[int, str]]:
    for place, part in enumerate(_DIGITS.split(id)):
        yield (len(part) if place % 2 else 0), part


def _share(cases: Sequence[dict[str, Any]]) -> float | None:
    """As `rubrics.prefill.share_passed` had it at the time."""
    heaviest = max((case["weight"] for case in cases), default=0.0)
    if heaviest <= 0:
        return None
    broken = {_group(case) for case in cases if case.get("group", "") and case["outcome"] != "passed"}
    passed = sum(case["weight"] / heaviest * _credit(case) for case in cases if _group(case) not in broken)
    share = round(passed / sum(case["weight"] / heaviest for case in cases), 9)
    return share if all(case["outcome"] == "passed" for case in cases) else min(share, 1.0 - 2**-53)


def _group(case: dict[str, Any]) -> tuple[str, str, str]:
    return case["grader"], case["suite"], case.get("group", "")


def _credit(case: dict[str, Any]) -> float:
    if case["outcome"] == "passed":
        return 1.0
    credit = case.get("credit") if case["outcome"] == "failed" else None
    return min(1.0, credit) if credit is not None and credit > 0 else 0.0


def _pack(value: object) -> bytes:
    return zlib.compress(json.dumps(value, separators=(",", ":")).encode("ascii"), 6)


def _unpack(packed: bytes) -> Any:
    return json.loads(zlib.decompress(packed))
