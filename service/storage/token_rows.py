"""Statements on tokens. A token is 256 random bits, so a plain hash keeps it as safe as a slow one would."""

import hashlib
import secrets
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from service.storage.interface import ONE_TIME_PREFIX, Principal
from service.storage.tables import tokens


def add(
    connection: Connection,
    name: str,
    scopes: frozenset[str],
    now: datetime,
    *,
    expires_at: datetime | None,
    one_time: bool,
) -> str:
    token = (ONE_TIME_PREFIX if one_time else "assay_") + secrets.token_urlsafe(32)
    connection.execute(
        insert(tokens).values(
            sha256=_hash(token),
            name=name,
            scopes=" ".join(sorted(scopes)),
            created_at=now,
            expires_at=expires_at,
            one_time=one_time,
        )
    )
    return token


def principal(connection: Connection, token: str, now: datetime) -> Principal | None:
    row = connection.execute(select(tokens).where(tokens.c.sha256 == _hash(token))).first()
    if row is None or (row.expires_at is not None and row.expires_at <= now):
        return None
    if row.one_time:
        unused = update(tokens).where(tokens.c.sha256 == row.sha256, tokens.c.used_at.is_(None))
        if connection.execute(unused.values(used_at=now)).rowcount != 1:
            return None
    return Principal(name=row.name, scopes=frozenset(row.scopes.split()))


def exists(connection: Connection, token: str) -> bool:
    return connection.execute(select(tokens.c.sha256).where(tokens.c.sha256 == _hash(token))).first() is not None


def any_exists(connection: Connection) -> bool:
    return connection.execute(select(tokens.c.sha256).limit(1)).first() is not None


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
