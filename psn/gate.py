"""What every HTTP request passes first: through whom it came, and from whose page.

A browser tells the origin of the page that asks (RFC 6454). Requests that change something, and
WebSockets, are taken from this server's own pages only; clients that are no browser send no
``Origin``. Sessions are never in cookies, so this is the second lock and not the first.
"""

from __future__ import annotations

import logging
import time
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler, Middleware

from psn import forwarded
from psn.forwarded import Network
from psn.refusing import told, unread

log = logging.getLogger(__name__)

KEEP_ALIVE_SECONDS: Final = 75.0
"""A connection that asks nothing, or never finishes asking, is closed after this."""
SAID_EVERY_SECONDS: Final = 60.0
_PORTS: Final = {"http": 80, "https": 443}
_READ_ONLY: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def believing(trusted: tuple[Network, ...]) -> Middleware:
    """A middleware: what these proxies say of who asks, and how, is what the rest sees."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await handler(_through(request, trusted) if trusted else request)

    return middleware


def own_pages_only(own: str | None) -> Middleware:
    """A middleware: foreign pages may change nothing, and get no WebSocket (403).

    Own pages are those of the host that the request names, and of ``own``, the address at which
    people open the pages, where that is set.
    """
    seldom = Seldom()

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        origins = request.headers.getall("Origin", [])
        writes = request.method not in _READ_ONLY or request.path == "/ws"
        foreign = [each for each in origins if not same_place(each, request.host, own)]
        if foreign and writes:
            if count := seldom.count(time.monotonic()):
                text = "%d requests of foreign pages were refused since this was last said;"
                log.warning(text + " now of %.80r at %s", count, foreign[0], _route(request))
            return told(
                403,
                "foreign_origin",
                "Pages of other places may not ask this.",
                "Open the network's own pages, or set PSN_ORIGIN to their address.",
            )
        return await handler(request)

    return middleware


def failing_plainly() -> Middleware:
    """A middleware: a fault of ours is told in general words, and logged with its trace.

    Nothing of the fault goes out, whatever Python's debug modes are. A body that is no HTTP is the
    other side's fault (400).
    """

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except (web.HTTPException, ConnectionError):
            raise
        except (web.RequestPayloadError, HttpProcessingError):
            return told(400, "bad_body", "The body could not be read as HTTP.", "Send it again.")
        except Exception as fault:
            if request.writer.output_size > 0:
                raise  # half an answer is out: the connection is closed
            log.exception("%s %s failed", request.method, _route(request))
            return unread(fault)

    return middleware


def _route(request: web.Request) -> str:
    """The path as it was declared: what stood in its places is not for the log."""
    resource = request.match_info.route.resource
    return "a path" if resource is None else resource.canonical


def same_place(origin: str, host: str, own: str | None) -> bool:
    """Whether a page's origin is this server: as it is set, or with the request's own host."""
    if own is not None and origin == own:
        return True
    try:
        page, here = urlsplit(origin), urlsplit(f"{urlsplit(origin).scheme}://{host}")
        standard = _PORTS.get(page.scheme)
        of_page, of_here = (page.port or standard), (here.port or standard)
    except ValueError:
        return False
    return (
        standard is not None
        and page.hostname is not None
        and (page.hostname, of_page) == (here.hostname, of_here)
    )


def _through(request: web.Request, trusted: tuple[Network, ...]) -> web.Request:
    headers = request.headers
    found = forwarded.asker(
        request.remote or "",
        headers.getall("X-Forwarded-For", []),
        headers.getall("X-Forwarded-Proto", []),
        trusted,
    )
    if found.scheme is None:
        return request.clone(remote=found.address)
    return request.clone(remote=found.address, scheme=found.scheme)


class Seldom:
    """Counts what anyone can cause, so that the log says it once a minute and is not filled."""

    def __init__(self) -> None:
        self._count = 0
        self._quiet_until = float("-inf")

    def count(self, now: float) -> int:
        """How many came since it was last said, this one too; 0: say nothing now."""
        self._count += 1
        if now < self._quiet_until:
            return 0
        said, self._count = self._count, 0
        self._quiet_until = now + SAID_EVERY_SECONDS
        return said


class Unreadable(logging.Filter):
    """Lets the log say once a minute, in one line, that requests were no HTTP.

    Otherwise anyone could fill it with tracebacks, and with bytes of his own choice.
    """

    def __init__(self) -> None:
        super().__init__()
        self._seldom = Seldom()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written; one of the kind meant becomes a warning."""
        problem = record.exc_info[1] if record.exc_info else None
        if not isinstance(problem, HttpProcessingError):
            return True
        count = self._seldom.count(record.created)
        if not count:
            return False
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        record.msg = "%d requests could not be read as HTTP since this was last said; now: %s"
        record.args = (count, type(problem).__name__)
        record.exc_info = record.exc_text = None
        return True


def http_log() -> logging.Logger:
    """The logger of the HTTP server, which says what :class:`Unreadable` lets it say."""
    logger = logging.getLogger("psn.http")
    for old in logger.filters:
        logger.removeFilter(old)
    logger.addFilter(Unreadable())
    return logger
