"""How many cases of a run are disputed, and how many were not tried. Before this there were none."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    for name in ("cases_disputed", "cases_not_tried"):
        op.add_column("findings", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
