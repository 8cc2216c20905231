"""The tier that a submitter asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("submissions", sa.Column("minimum_tier", sa.String(length=20), nullable=False, server_default="jail"))
