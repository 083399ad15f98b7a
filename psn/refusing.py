"""Requests that no handler sees: refused in the same shape as by everyone who answers here.

aiohttp itself answers what is no HTTP, what is longer than it reads, and what leads nowhere, with
bare text and the sender's own bytes in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong
from aiohttp.web_protocol import RequestHandler

_Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
LONGEST_LINE: Final = 8_190
"""Bytes of the address of a request, and of one header, that are read."""

_NOWHERE: Final = {
    404: ("not_found", "There is nothing at this address.", "Check the address."),
    405: ("wrong_method", "This is not asked by this method.", "Look at /api/openapi.json."),
    413: ("too_large", "The body has more bytes than are read here.", "Send less."),
    417: ("bad_request", "The header Expect asks for what is not done here.", "Leave it out."),
}


def told(status: int, code: str, text: str, todo: str) -> web.Response:
    """The answer to a request that is refused: a stable code, a sentence, what to do."""
    return web.json_response(
        {"error": {"code": code, "text": text, "todo": todo}},
        status=status,
        headers={"Cache-Control": "no-store"},
    )


def unread(problem: BaseException | None) -> web.Response:
    """The answer to what could not be read as a request."""
    if isinstance(problem, LineTooLong):
        text = f"The address or a header of this request has more than {LONGEST_LINE:,} bytes."
        return told(400, "too_long", text, "Shorten what is asked for, and ask again.")
    if isinstance(problem, HttpProcessingError):
        return told(400, "bad_request", "This could not be read as HTTP.", "Send it as HTTP/1.1.")
    text = "Something went wrong here, and nothing was done."
    return told(500, "internal", text, "Try again; if it stays so, tell the operator.")


def led_nowhere(problem: web.HTTPException) -> web.Response | None:
    """The answer to what reaches no handler; None where whoever raised it has said it himself."""
    if problem.text != f"{problem.status}: {problem.reason}" and problem.status != 417:
        return None
    if problem.status not in _NOWHERE:
        return None
    answer = told(problem.status, *_NOWHERE[problem.status])
    if "Allow" in problem.headers:
        answer.headers["Allow"] = problem.headers["Allow"]
    return answer


class _Reader(RequestHandler):
    """Reads the requests of one connection."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Say what is wrong; raises ``ConnectionError`` when half an answer is out."""
        super().handle_error(request, status, exc, message)
        answer = unread(exc)
        answer.force_close()
        return answer


class _Server(web.Server):
    """Makes a reader for each connection."""

    def __init__(self, handler: _Handler, most: int | None, **more: Any) -> None:
        super().__init__(handler, **more)
        self._most = most

    def __call__(self) -> RequestHandler:
        return _Reader(self, loop=self._loop, **self._kwargs)

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        """One more; when that is one too many, the oldest is cut."""
        super().connection_made(handler, transport)
        if self._most is not None and len(self._connections) > self._most:
            # Out of the list at once: it is lost later, and another may come before.
            self._connections.pop(next(iter(self._connections))).abort()


class Runner(web.AppRunner):
    """Runs an application in which nothing is refused in another shape."""

    __slots__ = ("_most",)

    def __init__(self, app: web.Application, *, most: int | None = None, **more: Any) -> None:
        """``most``: so many connections at once.

        Who comes is let in, and whoever has been here longest is cut: who reads is done long before
        that, and who only holds on to his connection keeps nobody out.
        """
        super().__init__(app, **more)
        self._most = most

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _Server(
            _answering(made.request_handler),
            self._most,
            request_factory=made.request_factory,
            handler_cancellation=made.handler_cancellation,
            loop=made._loop,
            **made._kwargs,
        )


def _answering(handler: _Handler) -> _Handler:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as problem:
            said = led_nowhere(problem)
            if said is None:
                raise
            return said

    return answer
