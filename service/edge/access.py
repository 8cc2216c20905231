"""The caller of a request, and what they may do.

Programs send `Authorization: Bearer TOKEN`. People open a one-time link, which sets a session cookie. A change from a
page also needs the session's CSRF token in `X-CSRF-Token`. Storage keeps tokens and sessions as hashes.
"""

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from service.app_state import Assay, Services
from service.edge.problems import ProblemError
from service.storage.interface import ONE_TIME_PREFIX, Principal
from service.storage.storage import Storage

SCOPES = frozenset({"admin", "author", "submitter", "reviewer"})
"""`admin` may do everything."""
COOKIE = "assay_session"
CSRF_HEADER = "X-CSRF-Token"
LINK_TIME = timedelta(hours=24)
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

router = APIRouter()
bearer_of = HTTPBearer(auto_error=False, description="An API token: `assay token`.")


def principal(
    request: Request, assay: Assay, bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer_of)]
) -> Principal:
    """Return the caller, as a dependency. On a guarded route (`service.edge.guard`) the caller is known already."""
    known: Principal | None = getattr(request.state, "principal", None)
    return known or identify(request, assay, bearer)


def identify(request: Request, assay: Services, bearer: HTTPAuthorizationCredentials | None) -> Principal:
    """Return the caller, by bearer token or by the session of a page. Read headers only. Raise ProblemError."""
    if bearer is not None:
        return _known(assay, bearer.credentials, "The token is unknown or expired.")
    session = session_of(request)
    if not session:
        raise ProblemError(
            "unauthenticated", "Send a token (Authorization: Bearer ...), or sign in with a one-time link."
        )
    who = _known(assay, session, "The session has ended; sign in with a new one-time link.")
    if request.method not in _SAFE_METHODS:
        sent = request.headers.get(CSRF_HEADER, "")
        # A cookie comes along with any request of a browser; only a page of ours can know this.
        if not hmac.compare_digest(sent.encode(), csrf_token(request).encode()):
            raise ProblemError("csrf", f"The header {CSRF_HEADER} is missing or not the one of this session.")
    return who


class Required:
    """A dependency that returns the `Principal` if it has one of the scopes or is an admin."""

    def __init__(self, *scopes: str) -> None:
        self._scopes = frozenset({*scopes, "admin"})

    def __call__(self, who: Annotated[Principal, Depends(principal)]) -> Principal:
        self.check(who)
        return who

    def check(self, who: Principal) -> None:
        """Raise ProblemError if the caller lacks the scopes."""
        if not who.scopes & self._scopes:
            raise ProblemError("forbidden", f"This needs one of the scopes {', '.join(sorted(self._scopes))}.")


Anyone = Annotated[Principal, Depends(Required(*SCOPES))]
Submitter = Annotated[Principal, Depends(Required("submitter"))]
Author = Annotated[Principal, Depends(Required("author"))]
Reviewer = Annotated[Principal, Depends(Required("reviewer"))]


def session_of(request: Request) -> str:
    """Return the session in the request's cookie, or "" without one.

    `request.cookies` would take minutes for some headers of a few KiB. Our value is never quoted, so a split is enough.
    """
    pieces = (piece.strip().partition("=") for piece in request.headers.get("cookie", "").split(";"))
    return next((value for name, _, value in pieces if name == COOKIE), "")


def csrf_token(request: Request) -> str:
    """Return the value that a page of this session sends in `X-CSRF-Token`, or "" without a session."""
    session = session_of(request)
    return hashlib.sha256(f"csrf:{session}".encode()).hexdigest() if session else ""


def sign_in_link(storage: Storage, base_url: str, name: str, scopes: frozenset[str], now: datetime) -> str:
    """Return an address that signs its first visitor in under that name, within a day."""
    token = storage.access.add_token(name, scopes, now, expires_at=now + LINK_TIME, one_time=True)
    return f"{base_url.rstrip('/')}/sign-in?token={token}"


def first_start_link(storage: Storage, base_url: str, now: datetime) -> str | None:
    """Return a link for the first administrator, or None if any token exists. There is no default password."""
    if storage.access.has_tokens():
        return None
    return sign_in_link(storage, base_url, "admin", frozenset({"admin"}), now)


@router.get("/sign-in", include_in_schema=False)
def sign_in(request: Request, assay: Assay, token: str = "") -> Response:
    """Trade a one-time token for a session, and go on to the queue."""
    now = assay.now()
    who = assay.storage.access.principal(token, now) if token.startswith(ONE_TIME_PREFIX) else None
    if who is None:
        raise ProblemError(
            "sign-in-link", "This link was used, or it is too old. Ask for another one, or make it: assay token"
        )
    lasts = timedelta(hours=assay.settings.session_hours)
    session = assay.storage.access.add_token(who.name, who.scopes, now, expires_at=now + lasts)
    # Not a 303: after a link in a chat or a mail, the browser would follow it without the new SameSite=Strict cookie.
    response = HTMLResponse(_GO_ON)
    response.set_cookie(
        COOKIE,
        session,
        max_age=int(lasts.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return response


_GO_ON = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Assay</title>'
    '<meta http-equiv="refresh" content="0; url=/review"></head>'
    '<body><main><p>You are signed in. <a href="/review">Go to the queue</a></p></main></body></html>'
)


def _known(assay: Services, token: str, otherwise: str) -> Principal:
    # A one-time token is for the link alone; here it would be used up by a request that may not even succeed.
    who = None if token.startswith(ONE_TIME_PREFIX) else assay.storage.access.principal(token, assay.now())
    if who is None:
        raise ProblemError("unauthenticated", otherwise)
    return who
