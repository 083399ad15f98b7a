"""One document of a stranger, got over HTTP: bounded in size and time, from where it was said.

No redirect is followed, and names are resolved by :func:`psn.csirt.webhooks.client`, which
connects neither to this machine nor to what its host keeps for its guests. What is packed is not
asked for, and refused, so that no small answer becomes a large one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import aiohttp

from psn.csirt import webhook_protocol
from psn.problems import Problem

SECONDS: Final = 20.0
"""An answer has to be there, whole, by then."""
SILENT_SECONDS: Final = 10.0
MOST_RETRY: Final = 3_600.0
_KEPT_HEADER: Final = 500
"""A longer ETag is not kept: it is asked for without."""


class Unheard(Exception):
    """Why a document was not had; ``retry``: seconds that its server asks to wait, if it does."""

    def __init__(self, text: str, retry: float | None = None) -> None:
        super().__init__(text)
        self.retry = retry


@dataclass(frozen=True, slots=True)
class Validators:
    """With what it is asked whether a document has changed (RFC 9110, 8.8)."""

    etag: str | None = None
    modified: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came; without a body it has not changed."""

    body: bytes | None
    validators: Validators


async def get(
    http: aiohttp.ClientSession, url: str, most: int, known: Validators | None = None
) -> Answer:
    """A document of ``most`` bytes at most; raises :class:`Unheard`."""
    known = known or Validators()
    headers = {
        "Accept": "application/atom+xml, application/rss+xml, application/cap+xml, "
        "application/xml, text/xml;q=0.9",
        "Accept-Encoding": "identity",
        **({"If-None-Match": known.etag} if known.etag else {}),
        **({"If-Modified-Since": known.modified} if known.modified else {}),
    }
    try:
        webhook_protocol.check_url(url)
        async with http.get(
            url,
            headers=headers,
            allow_redirects=False,
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=SECONDS, sock_read=SILENT_SECONDS),
        ) as answer:
            if answer.status == 304 and known != Validators():
                return Answer(None, known)
            _refuse(answer, most)
            body = await _read(answer, most)
            return Answer(body, _validators(answer))
    except TimeoutError:
        raise Unheard(f"It was not there within {SECONDS:.0f} seconds.") from None
    except (aiohttp.ClientError, OSError, ValueError, Problem) as problem:
        text = problem.text if isinstance(problem, Problem) else str(problem)
        raise Unheard(f"It is not reached: {text or type(problem).__name__}"[:500]) from problem


def _refuse(answer: aiohttp.ClientResponse, most: int) -> None:
    if answer.status == 304:
        raise Unheard("Its server says that nothing has changed, which was not asked.")
    if 300 <= answer.status < 400:
        raise Unheard("It leads to another address; redirects are not followed.")
    if answer.status != 200:
        raise Unheard(f"Its server answers {answer.status}.", _retry(answer))
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Unheard("Its server sends it packed, which was not asked for.")
    if (answer.content_length or 0) > most:
        raise Unheard(_large(most))


async def _read(answer: aiohttp.ClientResponse, most: int) -> bytes:
    body = bytearray()
    async for chunk in answer.content.iter_any():
        body += chunk
        if len(body) > most:
            raise Unheard(_large(most))
    return bytes(body)


def _large(most: int) -> str:
    return f"It has more than {most:,} bytes."


def _retry(answer: aiohttp.ClientResponse) -> float | None:
    """Seconds of ``Retry-After``; a date there does not count."""
    said = answer.headers.get("Retry-After", "")
    if not said.isascii() or not said.isdecimal() or len(said) > 9:
        return None
    return min(float(said), MOST_RETRY)


def _validators(answer: aiohttp.ClientResponse) -> Validators:
    def kept(name: str) -> str | None:
        said = answer.headers.get(name, "")
        return said if 0 < len(said) <= _KEPT_HEADER else None

    return Validators(kept("ETag"), kept("Last-Modified"))


def pause(every: float, failures: int, asked: float | None) -> float:
    """Seconds until it is asked again: twice as long after each failure in a row, an hour at most.

    ``asked``: what its server asks to wait.
    """
    grown = every * math.pow(2, min(failures, 20))
    return max(every, min(grown, MOST_RETRY), asked or 0.0)
