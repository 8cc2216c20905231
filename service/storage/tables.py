"""The tables, as one schema for SQLite and PostgreSQL. `migrations/` makes them; a test compares the two.

Long values and outputs of a submission are kept packed (`pack`): compressed, and as ASCII, so that NULs and lone surrogates
survive in every database.
"""

import json
import zlib
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in and out. SQLite itself would drop the zone and read it back as local time."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a zone: {value}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=UTC)


def pack(value: object) -> bytes:
    """Return the value as compressed JSON, ASCII only. It may hold nan and inf, as measurements do."""
    return zlib.compress(json.dumps(value, separators=(",", ":")).encode("ascii"), 6)


def unpack(packed: bytes) -> Any:
    """Return the value of `pack`, with the types that JSON has."""
    return json.loads(zlib.decompress(packed))


_JSON = JSON().with_variant(JSONB(), "postgresql")
_KEY = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite numbers rows by itself only if the type is exactly INTEGER."""
_ID = String(200)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

tasks = Table(
    "tasks",
    metadata,
    Column("sequence", _KEY, primary_key=True),  # the newest version has the highest
    Column("id", _ID, nullable=False),
    Column("version", String(64), nullable=False),
    Column("title", Text, nullable=False),
    Column("files", LargeBinary, nullable=False),  # packed
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("id", "version"),
)

submissions = Table(
    "submissions",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("task_id", _ID, nullable=False),
    Column("task_version", String(64), nullable=False),
    Column("files", LargeBinary, nullable=False),  # packed
    Column("model", Text, nullable=False),
    Column("group_id", Text, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("tag", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("minimum_tier", String(20), nullable=False, server_default="jail"),
    Column(
        "submitter", _ID, nullable=False, server_default=""
    ),  # the token's name; empty for rows from before it was kept
    ForeignKeyConstraint(["task_id", "task_version"], ["tasks.id", "tasks.version"]),
)

runs = Table(
    "runs",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("submission_id", ForeignKey("submissions.id"), nullable=False, index=True),
    Column("state", String(20), nullable=False, index=True),
    Column("attempt", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("key", Text, primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("run_id", ForeignKey("runs.id"), nullable=False),
)

jobs = Table(
    "jobs",  # a row until its run is done
    metadata,
    Column("sequence", _KEY, primary_key=True),  # the oldest is delivered first
    Column("run_id", ForeignKey("runs.id"), nullable=False, unique=True),
    Column("attempts", Integer, nullable=False),
    Column("worker", Text),  # the holder of the lease; null without one
    Column("due_at", UtcDateTime),  # end of the lease, or of the pause after a failure; null: now
    Column("submitter", _ID, nullable=False, server_default=""),  # the submission's, here for whose turn it is
    Index(None, "submitter", "sequence"),
)
Index(
    "ix_jobs_held",
    jobs.c.submitter,
    sqlite_where=jobs.c.worker.is_not(None),
    postgresql_where=jobs.c.worker.is_not(None),
)

turns = Table(
    "turns",  # the order in which submitters were served, by their last lease
    metadata,
    Column("submitter", _ID, primary_key=True),
    Column("number", BigInteger, nullable=False),
)

counters = Table(
    "counters",  # numbers that are given out in the order of commits, which a sequence of PostgreSQL does not promise
    metadata,
    Column("name", String(50), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

findings = Table(
    "findings",  # the result of a run; a row for each run that is done
    metadata,
    Column("run_id", ForeignKey("runs.id"), primary_key=True),
    Column("sequence", BigInteger, nullable=False, unique=True),  # order in which runs finished, see `counters`
    Column("tag", Text, nullable=False),  # the submission's, here so that a poller's question is one index range
    Column("outcome", String(20), nullable=False),
    Column("cases_passed", Integer, nullable=False),
    Column("cases_total", Integer, nullable=False),
    Column("flags", Integer, nullable=False),
    Column("position", BigInteger, nullable=False),  # pseudo-random place in the reviewers' queue
    Column("signals", LargeBinary, nullable=False),  # packed; all but the cases, which lists do not need
    Column("prefills", LargeBinary, nullable=False),  # packed; of cited cases the short part, and which they are
    Column("diagnostics", LargeBinary, nullable=False),  # packed
    Column("rubric_id", _ID, nullable=False),
    Column("rubric_version", String(64), nullable=False),
    Column("grader_versions", _JSON, nullable=False),
    Column("sandbox", Text, nullable=False),
    Column("ends", _JSON, nullable=False),
    Column("finished_at", UtcDateTime, nullable=False),
    Column("share", Float),  # the share of the tried cases that counts as passed; null without cases
    Column("cases_disputed", Integer, nullable=False, server_default="0"),
    Column("cases_not_tried", Integer, nullable=False, server_default="0"),
    Column(
        "submitter", _ID, nullable=False, server_default=""
    ),  # the submission's, here for the same reason as the tag
    Index(None, "tag", "sequence"),
    Index(None, "submitter", "sequence"),
    Index(None, "submitter", "tag", "sequence"),
)

cases = Table(
    "cases",  # all hidden cases of a run in one row
    metadata,
    Column("run_id", ForeignKey("runs.id"), primary_key=True),
    Column("outcomes", LargeBinary, nullable=False),  # packed
)

claims = Table(
    "claims",  # one run, one claim: the primary key says so
    metadata,
    Column("run_id", ForeignKey("runs.id"), primary_key=True),
    Column("reviewer", _ID, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)

drafts = Table(
    "drafts",
    metadata,
    Column("run_id", ForeignKey("runs.id"), primary_key=True),
    Column("reviewer", _ID, primary_key=True),
    Column("criterion", _ID, primary_key=True),
    Column("level", Integer),
    Column("note", Text, nullable=False),
    Column("milliseconds", BigInteger, nullable=False),
)

skips = Table(
    "skips",
    metadata,
    Column("sequence", _KEY, primary_key=True),
    Column("run_id", ForeignKey("runs.id"), nullable=False),
    Column("reviewer", _ID, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index(None, "run_id", "reviewer"),
)

reviews = Table(
    "reviews",
    metadata,
    Column("sequence", _KEY, primary_key=True),
    Column("id", _ID, nullable=False, unique=True),
    Column("run_id", ForeignKey("runs.id"), nullable=False, index=True),
    Column("reviewer", _ID, nullable=False, index=True),
    Column("review", _JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

withdrawals = Table(
    "withdrawals",
    metadata,
    Column("review_id", ForeignKey("reviews.id"), primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("name", _ID, nullable=False),
    Column("scopes", Text, nullable=False),  # separated by spaces
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("one_time", Boolean, nullable=False),
    Column("used_at", UtcDateTime),  # of a one-time token
)
