"""Whose each job is, and whose turn it was last: submitters are served in turn."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_jobs = sa.table("jobs", sa.column("run_id"), sa.column("submitter"))
_runs = sa.table("runs", sa.column("id"), sa.column("submission_id"))
_submissions = sa.table("submissions", sa.column("id"), sa.column("submitter"))


def upgrade() -> None:
    op.add_column("jobs", sa.Column("submitter", sa.String(length=200), nullable=False, server_default=""))
    whose = sa.select(_submissions.c.submitter).join_from(
        _runs, _submissions, _submissions.c.id == _runs.c.submission_id
    )
    op.execute(
        sa.update(_jobs).values(submitter=whose.where(_runs.c.id == _jobs.c.run_id).correlate(_jobs).scalar_subquery())
    )
    op.create_index(op.f("ix_jobs_submitter_sequence"), "jobs", ["submitter", "sequence"], unique=False)
    held = sa.text("worker IS NOT NULL")
    op.create_index("ix_jobs_held", "jobs", ["submitter"], unique=False, sqlite_where=held, postgresql_where=held)
    op.create_table(
        "turns",
        sa.Column("submitter", sa.String(length=200), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("submitter", name=op.f("pk_turns")),
    )
