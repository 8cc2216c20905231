"""Tokens in storage: API tokens, sign-in links and sessions.

A token is 256 random bits, so a plain hash protects it as well as a slow one.
"""

import hashlib
import secrets
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection, insert, select, update

from service.storage.database import Database
from service.storage.interface import ONE_TIME_PREFIX, Principal
from service.storage.tables import tokens


class Access(Protocol):
    """The port of tokens. Each method is a transaction and may raise StorageError."""

    def add_token(
        self, name: str, scopes: frozenset[str], now: datetime, *, expires_at: datetime | None, one_time: bool = False
    ) -> str:
        """Make a token and return it; only its SHA-256 is kept. One-time tokens begin with ONE_TIME_PREFIX."""
        ...

    def principal(self, token: str, now: datetime) -> Principal | None:
        """Return the owner of a token, or None if it is unknown, expired or used. A one-time token is used up by this."""
        ...

    def has_tokens(self) -> bool:
        """Return False on the first start."""
        ...


class SqlAccess:
    """`Access` in a SQL database; safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_token(
        self, name: str, scopes: frozenset[str], now: datetime, *, expires_at: datetime | None, one_time: bool = False
    ) -> str:
        token = (ONE_TIME_PREFIX if one_time else "assay_") + secrets.token_urlsafe(32)
        row = insert(tokens).values(
            sha256=_hash(token),
            name=name,
            scopes=" ".join(sorted(scopes)),
            created_at=now,
            expires_at=expires_at,
            one_time=one_time,
        )
        with self._database.writing() as connection:
            connection.execute(row)
        return token

    def principal(self, token: str, now: datetime) -> Principal | None:
        # Only a stored one-time token needs a write; all others must not wait for the writer.
        with self._database.reading() as connection:
            if not token.startswith(ONE_TIME_PREFIX) or not _exists(connection, token):
                return _principal(connection, token, now)
        with self._database.writing() as connection:
            return _principal(connection, token, now)

    def has_tokens(self) -> bool:
        with self._database.reading() as connection:
            return connection.execute(select(tokens.c.sha256).limit(1)).first() is not None


def _principal(connection: Connection, token: str, now: datetime) -> Principal | None:
    row = connection.execute(select(tokens).where(tokens.c.sha256 == _hash(token))).first()
    if row is None or (row.expires_at is not None and row.expires_at <= now):
        return None
    if row.one_time:
        unused = update(tokens).where(tokens.c.sha256 == row.sha256, tokens.c.used_at.is_(None))
        if connection.execute(unused.values(used_at=now)).rowcount != 1:
            return None
    return Principal(name=row.name, scopes=frozenset(row.scopes.split()))


def _exists(connection: Connection, token: str) -> bool:
    return connection.execute(select(tokens.c.sha256).where(tokens.c.sha256 == _hash(token))).first() is not None


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
