"""Checks of every route before it reads a body: the caller, their scopes, and caps on size and time.

FastAPI reads and parses a body first and runs dependencies afterwards. A route of this class checks the caller first,
from the headers alone, so an unknown caller costs one look-up and their body is never read. An admitted body is read
within a cap and a deadline. A small body is parsed in a thread. A larger one is parsed in a process of its own
(`service.reading`): the parser holds the interpreter's lock, so a thread would not keep the event loop free.
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
"""MiB of bodies that one person may have in reading at once, over all their requests."""
_AT_ONCE_BYTES = 64 * 1024
"""A body up to this size is parsed in any thread, in milliseconds. Larger ones are parsed in a process, one at a time."""

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Guarded(APIRoute):
    """A route that admits its caller before anything else."""

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
    """Return the scopes that the route requires, or None if it is open to all."""
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
        """Release the body's share of the cap."""
        self._held[self._name] -= self._taken
        self._taken = 0
        if not self._held[self._name]:
            del self._held[self._name]

    def _too_large(self) -> ProblemError:
        field = ErrorField(field="body", expected=f"at most {self._most_mib} MiB")
        return ProblemError("body-too-large", f"This address takes bodies of at most {self._most_mib} MiB.", [field])
