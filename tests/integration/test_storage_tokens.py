"""Tokens in the storage."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

from service.storage.interface import ONE_TIME_PREFIX, Principal
from service.storage.storage import Storage
from tests.integration.stored import Clock

SCOPES = frozenset({"reviewer", "submitter"})


def test_a_token_says_whose_it_is_until_it_expires(storage: Storage, clock: Clock) -> None:
    assert not storage.access.has_tokens()
    token = storage.access.add_token("ann", SCOPES, clock.now, expires_at=clock.now + timedelta(hours=1))
    assert storage.access.has_tokens()
    for _ in range(2):
        assert storage.access.principal(token, clock.now) == Principal(name="ann", scopes=SCOPES)
    assert storage.access.principal(token, clock.advance(hours=1)) is None


def test_a_one_time_token_is_used_up_by_one_of_many(storage: Storage, clock: Clock) -> None:
    token = storage.access.add_token("ann", SCOPES, clock.now, expires_at=None, one_time=True)
    assert token.startswith(ONE_TIME_PREFIX)
    with ThreadPoolExecutor(8) as threads:
        got = list(threads.map(lambda _: storage.access.principal(token, clock.now), range(8)))
    assert len([each for each in got if each is not None]) == 1


def test_an_expired_one_time_token_is_not_used(storage: Storage, clock: Clock) -> None:
    token = storage.access.add_token("ann", SCOPES, clock.now, expires_at=clock.now, one_time=True)
    assert storage.access.principal(token, clock.now) is None


def test_strange_tokens_are_nobodys(storage: Storage, clock: Clock) -> None:
    for token in ("", "assay_", ONE_TIME_PREFIX, "\ud800", "' OR 1=1 --"):
        assert storage.access.principal(token, clock.now) is None


def test_tokens_are_long_different_and_not_in_the_file(storage: Storage, clock: Clock, tmp_path: Path) -> None:
    tokens = {storage.access.add_token("ann", SCOPES, clock.now, expires_at=None) for _ in range(20)}
    assert len(tokens) == 20
    assert all(len(token.removeprefix("assay_")) == 43 for token in tokens)  # 256 bits in base64
    storage.close()
    for file in tmp_path.iterdir():
        assert not any(token.encode() in file.read_bytes() for token in tokens)
