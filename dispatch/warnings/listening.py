"""Listens to the feeds of others, and keeps what is heard.

Theory of operation
-------------------
Each feed has a work of its own, so that one that is slow or away keeps no other waiting. Who asks
a feed says so first, in its row, so of several servers one asks. What a feed lists is got once for
each change that the feed tells of; the ETag of a feed is kept when everything in it was had, so
what failed is tried again. A message is kept once for its feed by sender, identifier and time
sent; one that came before without a good signature, and has one now, takes its place.

Feeds and certificates are read anew while the server runs: a certificate is changed on a day on
which nobody restarts anything.

How each feed is stands in its row (``alert_feed``), for the page and for ``psn warnings feeds``.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

import aiohttp
import asyncpg
import msgspec
from cryptography import x509

from dispatch.alerting import cap, feeds, hearing
from dispatch.alerting.feeds import Entry, Feed, FeedRefused
from dispatch.warnings import fetching
from dispatch.warnings.fetching import Answer, Unheard, Validators
from dispatch.warnings.sources import Source
from psn import database
from psn.csirt import webhooks
from psn.problems import Problem

log = logging.getLogger(__name__)

MOST_ALERTS: Final = 50
"""Alerts that are got at one look; the next has the rest."""
MOST_KEPT: Final = 2_000
"""Messages of one feed that are kept: more are no alerts."""
LOOK_SECONDS: Final = 120.0
"""A look at a feed and its alerts is over by then."""
FIRST_SECONDS: Final = 1.0
AGAIN_SECONDS: Final = 10.0
"""So often the file of feeds is read, and the certificates that it names."""


class _Look:
    """What came of one look at a feed."""

    def __init__(self) -> None:
        self.troubles: list[str] = []
        self.whole = True
        """Everything in it was had, or refused for good."""

    def problem(self, feed: Feed) -> str | None:
        """What is wrong, in a sentence for whoever looks after the feed."""
        said = []
        if self.troubles:
            count = len(self.troubles)
            said.append(
                f"{count} alert{'s' if count > 1 else ''} could not be used. {self.troubles[0]}"
            )
        if feed.elsewhere:
            said.append(
                f"It leads to {', '.join(feed.elsewhere[:3])}: name that under hosts if it may."
            )
        if feed.unread:
            said.append(f"{feed.unread} of its entries lead to no alert that is read.")
        return " ".join(said)[:1_000] or None


class Listening:
    """Looks at every feed that the settings name."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        sources: Sequence[Source],
        tls: ssl.SSLContext | None = None,
        again: Callable[[], Sequence[Source]] | None = None,
    ) -> None:
        """``tls``: trusts others than this machine does; ``again``: reads the feeds anew.

        What ``again`` raises as a :class:`Problem` is logged, and what was read before holds.
        """
        self._again = again
        self._wrong: str | None = None
        """What was wrong when the feeds were read anew."""
        self.sources = tuple(sources)
        self._pool = pool
        self._tls = tls
        self._had: dict[str, set[Entry]] = {}
        """By feed: entries of which there is nothing more to be had."""

    def works(self) -> Iterator[tuple[str, Callable[[], Awaitable[None]]]]:
        """What goes on without an end, by name."""
        if self.sources or self._again is not None:
            yield "feeds of others", self.run

    async def run(self) -> None:
        """Listen to each feed, and look whether they are to be others, or signed by others."""
        under_way: dict[Source, asyncio.Task[None]] = {}
        try:
            while True:
                for gone in under_way.keys() - set(self.sources):
                    under_way.pop(gone).cancel()
                for source in self.sources:
                    if source not in under_way:
                        name = f"the feed {source.name}"
                        under_way[source] = asyncio.create_task(self._run(source), name=name)
                await asyncio.sleep(AGAIN_SECONDS)
                await self._read_again()
        finally:
            for task in under_way.values():
                task.cancel()
            await asyncio.gather(*under_way.values(), return_exceptions=True)

    async def _read_again(self) -> None:
        if self._again is None:
            return
        try:
            sources = tuple(await asyncio.to_thread(self._again))
        except Problem as problem:
            if problem.text != self._wrong:
                log.warning("what was known of feeds holds on: %s %s", problem.text, problem.todo)
            self._wrong = problem.text
            return
        self._wrong = None
        changed = [each for each in sources if each not in self.sources]
        if changed or len(sources) != len(self.sources):
            log.info("the feeds of others were read anew: %d", len(sources))
        for each in changed:
            # What was had may be worth more by another certificate, or lead to another host.
            await self._forget(each.name)
        self.sources = sources

    async def _forget(self, name: str) -> None:
        """Everything that a feed lists is got anew."""
        self._had.pop(name, None)
        try:
            await self._note(_FORGET, name)
        except (*database.PASSING, asyncpg.PostgresError) as problem:
            log.warning("the feed %s is heard anew when it changes: %s", name, problem)

    async def _run(self, source: Source) -> None:
        wait = FIRST_SECONDS
        while True:
            await asyncio.sleep(wait)
            try:
                wait = await self.look(source)
            except (*database.PASSING, asyncpg.PostgresError) as problem:
                log.warning("the feed %s waits for the database: %s", source.name, problem)
                wait = source.every
            except Exception:
                # A fault of ours; it keeps no other feed waiting, nor this one for ever.
                log.exception("the feed %s failed", source.name)
                wait = source.every

    async def look(self, source: Source) -> float:
        """Look at a feed once; how many seconds until the next time.

        Raises what asyncpg raises.
        """
        row = await self._claim(source)
        if row is None:
            return source.every
        # Where it failed the last time, that is what stands there as its problem, and not what was
        # wrong with the feed: so it is read anew.
        known = Validators() if row["failures"] else Validators(row["etag"], row["modified"])
        problem: str | None
        asked = None
        try:
            async with asyncio.timeout(LOOK_SECONDS), webhooks.client(self._tls) as http:
                answer, feed, look = await self._listen(http, source, known)
        except Unheard as trouble:
            problem, asked = str(trouble), trouble.retry
        except TimeoutError:
            problem = f"It and its alerts were not there within {LOOK_SECONDS:.0f} seconds."
        except Problem as trouble:
            problem = f"{trouble.text} {trouble.todo}"
        else:
            kept = answer.validators if look.whole else Validators()
            # What has not changed is as good, or bad, as it was.
            problem = row["problem"] if answer.body is None else look.problem(feed)
            await self._note(_HEARD, source.name, kept.etag, kept.modified, problem)
            return source.every
        log.warning("the feed %s: %s", source.name, problem)
        await self._note(_FAILED, source.name, problem[:1_000])
        return fetching.pause(source.every, row["failures"] + 1, asked)

    async def _listen(
        self, http: aiohttp.ClientSession, source: Source, known: Validators
    ) -> tuple[Answer, Feed, _Look]:
        look = _Look()
        answer = await fetching.get(http, source.url, cap.MAX_BYTES, known)
        if answer.body is None:
            return answer, Feed(), look
        feed = await asyncio.to_thread(feeds.read, answer.body, source.url, source.hosts)
        if feed.single:
            await self._take(source, source.url, answer.body)
            return answer, feed, look
        had = self._had.setdefault(source.name, set())
        had &= set(feed.entries)
        new = [each for each in feed.entries if each not in had]
        look.whole = len(new) <= MOST_ALERTS
        for entry in new[:MOST_ALERTS]:
            await self._get(http, source, entry, look)
        return answer, feed, look

    async def _get(
        self, http: aiohttp.ClientSession, source: Source, entry: Entry, look: _Look
    ) -> None:
        try:
            answer = await fetching.get(http, entry.url, cap.MAX_BYTES)
            await self._take(source, entry.url, answer.body or b"")
        except Unheard as trouble:
            look.troubles.append(f"{entry.url}: {trouble}")
            look.whole = False
            return
        except FeedRefused as trouble:
            look.troubles.append(f"{entry.url}: {trouble.text}")
            if trouble.code != "feed.no_alert":
                look.whole = False
                return
        self._had[source.name].add(entry)

    async def _take(self, source: Source, url: str, body: bytes) -> None:
        """Keep what a document says; raises :class:`FeedRefused`."""
        now = datetime.now(UTC)
        verified = await asyncio.to_thread(cap.verify, body, source.certificates, now)
        alert = hearing.taken(verified, now)
        if alert is None:
            return
        signer = "" if verified.signer is None else signer_of(verified.signer)
        said = msgspec.json.encode(alert).decode()
        async with database.asking(self._pool) as connection:
            if await connection.fetchval(_COUNT, source.name, now - hearing.KEPT) >= MOST_KEPT:
                raise FeedRefused(
                    "feed.flood",
                    f"The feed has sent more than {MOST_KEPT:,} messages in a month.",
                    "Ask whoever makes it, or name another feed.",
                )
            await connection.execute(
                _TAKE,
                source.name,
                alert.sender,
                alert.identifier,
                alert.sent,
                str(verified.verdict),
                signer,
                url,
                said,
                now,
            )

    async def _claim(self, source: Source) -> asyncpg.Record | None:
        """The row of a feed, for who looks at it now; None: another server does."""
        async with database.asking(self._pool) as connection:
            await connection.execute("delete from heard_alert where heard_at < $1", _oldest())
            # A little less than the pause, so that a clock's hair decides nothing.
            return await connection.fetchrow(
                _CLAIM, source.name, source.url, datetime.now(UTC), source.every * 0.9
            )

    async def _note(self, statement: str, *values: object) -> None:
        async with database.asking(self._pool) as connection:
            await connection.execute(statement, *values)


def signer_of(certificate: x509.Certificate) -> str:
    """Whose a certificate is, for people."""
    return certificate.subject.rfc4514_string()[:300]


def _oldest() -> datetime:
    return datetime.now(UTC) - hearing.KEPT


# Another address is another feed: what was known of the old one does not count.
_CLAIM: Final = """
    insert into alert_feed as f (name, url, tried_at) values ($1, $2, $3)
        on conflict (name) do update set
            url = $2, tried_at = $3,
            etag = case when f.url = $2 then f.etag end,
            modified = case when f.url = $2 then f.modified end,
            problem = case when f.url = $2 then f.problem end
        where f.url <> $2 or f.tried_at < $3 - make_interval(secs => $4)
    returning etag, modified, failures, problem
"""
_HEARD: Final = """
    update alert_feed set succeeded_at = now(), failing_since = null, failures = 0,
           etag = $2, modified = $3, problem = $4
     where name = $1
"""
_FAILED: Final = """
    update alert_feed set failing_since = coalesce(failing_since, now()),
           failures = least(failures + 1, 1000), problem = $2
     where name = $1
"""
_FORGET: Final = """
    update alert_feed set etag = null, modified = null, tried_at = 'epoch' where name = $1
"""
_COUNT: Final = "select count(*) from heard_alert where feed = $1 and heard_at > $2"
_TAKE: Final = """
    insert into heard_alert as h (feed, sender, identifier, sent_at, verdict, signer, url, alert,
                                  heard_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        on conflict (feed, sender, identifier, sent_at) do update
            set verdict = excluded.verdict, signer = excluded.signer, url = excluded.url,
                alert = excluded.alert
        where h.verdict <> 'good' and excluded.verdict = 'good'
"""
