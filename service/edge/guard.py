"""What every route does before a body is read: who is asking, may they, and how much may they send in what time.

FastAPI reads and parses a body first and asks its dependencies afterwards. A route of this class asks first, from the
headers alone, so that somebody unknown costs one look-up and nothing of a body is read, let alone parsed. A body that may
come is read within a cap and a time. It is parsed in a thread, and only if it holds so few values that this is quick: the
parser keeps the interpreter's lock, so that a thread alone would not save the event loop.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.types import Message

from service.app_state import Services, services
from service.edge import access
from service.edge.problems import ProblemError
from service.reading.body import BodyError, parsed
from service.reading.readers import BODIES
from service.schemas import Body, ErrorField

MOST_HELD_MIB = 128
"""Of bodies of one person at once, of however many requests."""
_AT_ONCE_BYTES = 64 * 1024
"""A body up to this is parsed in any thread, in milliseconds; larger ones elsewhere, one after the other."""

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Guarded(APIRoute):
    """A route that is not entered before its caller is known to be allowed."""

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()
        needed = _needed(self.dependant)
        body = self.body_field.field_info.annotation if self.body_field else None

        async def guarded(request: Request) -> Response:
            if needed is not None:
                await _admit(request, needed)
            if body is None:
                return await handle(request)
            assert isinstance(body, type)
            assert issubclass(body, Body)
            bodies = _BodyRequest(request, services(request), body)
            try:
                return await handle(bodies)
            finally:
                bodies.forget()

        return guarded


def _needed(dependant: Dependant) -> access.Required | None:
    """The scopes that the route asks for; None where anybody may come."""
    asked = (each.call for each in dependant.dependencies)
    return next((call for call in asked if isinstance(call, access.Required)), None)


async def _admit(request: Request, needed: access.Required) -> None:
    bearer = await access.bearer_of(request)
    who = await run_in_threadpool(access.identify, request, services(request), bearer)
    needed.check(who)
    request.state.principal = who


class _BodyRequest(Request):
    """A request whose body is read within a cap and a time, and parsed beside the event loop."""

    def __init__(self, request: Request, assay: Services, body: type[Body]) -> None:
        if request.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
            field = ErrorField(field="Content-Encoding", expected="none: the body as it is, not compressed")
            raise ProblemError("unsupported-encoding", "This service takes no compressed bodies.", [field])
        self._most_mib = min(body.most_mib or assay.settings.max_body_mib, assay.settings.max_body_mib)
        announced = request.headers.get("content-length", "")
        if announced.isdecimal() and int(announced[:20]) > self._most_bytes:
            raise self._too_large()
        self._seconds = assay.settings.body_seconds
        self._deadline = asyncio.get_running_loop().time() + self._seconds
        self._taken = 0
        self._held, self._name = assay.held, request.state.principal.name
        self._from = request.receive
        super().__init__(request.scope, self._receive_in_time)

    async def json(self) -> Any:
        try:
            body = await self.body()
            if len(body) <= _AT_ONCE_BYTES:
                return await run_in_threadpool(parsed, body)
            return await asyncio.wrap_future(BODIES.body(body))
        except BodyError as error:
            field = ErrorField(field="body", expected=error.expected)
            raise ProblemError(error.kind, error.detail, [field]) from error
        finally:
            self.forget()

    @property
    def _most_bytes(self) -> int:
        return self._most_mib * 1024 * 1024

    async def _receive_in_time(self) -> Message:
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._from()
        except TimeoutError as error:
            field = ErrorField(field="body", expected=f"all of it within {self._seconds:g} s")
            raise ProblemError("body-too-slow", "The body did not arrive in time.", [field]) from error
        self._taken += len(message.get("body", b""))
        self._held[self._name] += len(message.get("body", b""))
        if self._taken > self._most_bytes:
            raise self._too_large()
        if self._held[self._name] > MOST_HELD_MIB * 1024 * 1024:
            held = f"{MOST_HELD_MIB} MiB of your requests are being read already; send this one again in a moment."
            raise ProblemError("queue-full", held)
        return message

    def forget(self) -> None:
        """The body is not needed any more."""
        self._held[self._name] -= self._taken
        self._taken = 0
        if not self._held[self._name]:
            del self._held[self._name]

    def _too_large(self) -> ProblemError:
        field = ErrorField(field="body", expected=f"at most {self._most_mib} MiB")
        return ProblemError("body-too-large", f"This address takes bodies of at most {self._most_mib} MiB.", [field])
