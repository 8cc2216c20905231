"""The outermost layer of the web service: a request id, security headers, and the handler of our own failures."""

import secrets
import traceback

import structlog
from fastapi.responses import JSONResponse
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.edge.problems import MEDIA_TYPE, document

_HEADERS = {
    # Everything that a page needs is a file of this service, so submitted code that got into a page could not run.
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",  # the address of a sign-in link holds its token
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_log = structlog.get_logger()


class Edge:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Reply(send)
        scope.setdefault("state", {})["request_id"] = answer.request_id
        try:
            await self._app(scope, receive, answer.send)
        except Exception:  # only an id goes out to the client; everything goes to the log
            # The traceback is text: a renderer that shows local variables would put tokens into the log.
            _log.error(
                "request failed",
                action="request.failed",
                request_id=answer.request_id,
                path=scope["path"],
                traceback=traceback.format_exc(),
            )
            if answer.started:
                raise  # the server must cut the connection, or half an answer would pass for a whole one
            problem = document("internal", "We failed; the log says more under this id.", request_id=answer.request_id)
            response = JSONResponse(problem.model_dump(), problem.status, media_type=MEDIA_TYPE)
            await response(scope, receive, answer.send)


class _Reply:
    """Adds our headers to the first message of an answer, and remembers that it was sent."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.request_id = secrets.token_hex(8)
        self.started = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            headers["X-Request-Id"] = self.request_id
            for name, value in _HEADERS.items():
                headers[name] = value
            # Pages and answers are for one reader. Static files set their own header.
            headers.setdefault("Cache-Control", "no-store")
        await self._send(message)
