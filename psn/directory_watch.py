"""The directory and the database: reads it whole, and renews it when something changes.

A session's every frame is judged by agencies, people, units and agreements, so these are kept in
memory (``psn.directory``). A change in the database is told by its triggers
(``NOTIFY psn_directory``) and is here within a fraction of a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import itertools
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, TypeVar

import asyncpg

from psn import database
from psn.directory import (
    EMPTY,
    Agency,
    Agreement,
    BrokenGlass,
    Device,
    Directory,
    FenceRow,
    Group,
    Incident,
    Member,
    Person,
    Precision,
    Provider,
    Radio,
    RadioNetwork,
    RadioTalkgroup,
    Unit,
    UnitException,
)
from psn.watched import DIRECTORY_CHANNEL

log = logging.getLogger(__name__)

T = TypeVar("T")


async def load(source: database.Connection | asyncpg.Pool[Any]) -> Directory:
    """Read everything as of one moment. Raises what asyncpg raises when it cannot."""
    if isinstance(source, asyncpg.Pool):
        async with source.acquire() as conn:
            return await load(conn)
    async with source.transaction(isolation="repeatable_read", readonly=True):
        return Directory(
            agencies=_by_id(await source.fetch(_AGENCIES), Agency),
            people=_by_id(await source.fetch(_PEOPLE), _person),
            units=_by_id(await source.fetch(_UNITS), Unit),
            devices=_by_id(await source.fetch(_DEVICES), Device),
            groups=_by_id(await source.fetch(_GROUPS), _group),
            agreements=tuple(_agreement(*row) for row in await source.fetch(_AGREEMENTS)),
            fences=_by_id(await source.fetch(_FENCES), FenceRow),
            exceptions=tuple(_exception(*row) for row in await source.fetch(_EXCEPTIONS)),
            glasses=tuple(BrokenGlass(*row) for row in await source.fetch(_GLASSES)),
            incidents=_incidents(await source.fetch(_MEMBERS)),
            providers=_by_id(await source.fetch(_PROVIDERS), _provider),
            identities={(row[0], row[1]): row[2] for row in await source.fetch(_IDENTITIES)},
            radio_networks=_by_id(await source.fetch(_RADIO_NETWORKS), _radio_network),
            radio_talkgroups=_by_id(await source.fetch(_RADIO_TALKGROUPS), RadioTalkgroup),
            radios=_by_id(await source.fetch(_RADIOS), Radio),
        )


# Columns stand in the order of the fields above.
_AGENCIES: Final = "select id, code, name, colour from agency order by id"
_PEOPLE: Final = """
    select id, agency_id, name, full_name, roles, password_hash, disabled_at is not null,
           password_until
    from person order by id
"""
_UNITS: Final = """
    select id, agency_id, callsign, kind, source_key, retired_at is not null
    from unit order by id
"""
_DEVICES: Final = """
    select id, agency_id, unit_id, label, gateway, gateway_all, public_key,
        revoked_at is not null, wipe_ordered_at is not null and wiped_at is null
    from device order by id
"""
_GROUPS: Final = """
    select g.id, g.agency_id, g.name,
        coalesce(array_agg(m.person_id) filter (where m.person_id is not null), '{}'),
        coalesce(array_agg(m.unit_id) filter (where m.unit_id is not null), '{}'),
        coalesce(array_agg(m.agency_id) filter (where m.agency_id is not null), '{}')
    from talkgroup g left join group_member m on m.group_id = g.id
    group by g.id order by g.id
"""
_AGREEMENTS: Final = """
    select starts_at, ends_at, id, owner_agency, viewer_agency, units, messages, reason, author
    from agreement where ends_at is null or ends_at > now() order by id
"""
_EXCEPTIONS: Final = """
    select starts_at, ends_at, id, unit_id, viewer_agency, units, reason, author
    from unit_exception where ends_at is null or ends_at > now() order by id
"""
_GLASSES: Final = """
    select starts_at, ends_at, id, person_id, owner_agency, reason
    from broken_glass where ends_at > now() order by id
"""
_MEMBERS: Final = """
    select i.id, i.agency_id, c.number, m.starts_at, m.ends_at, m.agency_id, m.unit_id
    from incident i join incident_card c on c.incident_id = i.id
        join incident_member m on m.incident_id = i.id
    where i.closed_at is null and (m.ends_at is null or m.ends_at > now()) order by i.id
"""
_FENCES: Final = """
    select id, name, agency_id, st_asbinary(area) from fence where retired_at is null order by id
"""
_PROVIDERS: Final = """
    select id, agency_id, name, issuer, client_id, client_secret, scopes, claim,
        trusted_amr, trusted_acr
    from identity_provider where retired_at is null order by id
"""
_IDENTITIES: Final = """
    select i.provider_id, i.subject, i.person_id
    from linked_identity i join identity_provider p on p.id = i.provider_id
    where p.retired_at is null order by i.id
"""
_RADIO_NETWORKS: Final = """
    select id, agency_id, name,
        array(select agency_id from radio_network_agency where network_id = n.id),
        array(select device_id from radio_gateway where network_id = n.id)
    from radio_network n where retired_at is null order by id
"""
_RADIO_TALKGROUPS: Final = """
    select t.id, t.network_id, t.number, t.group_id
    from radio_talkgroup t join radio_network n on n.id = t.network_id
        join talkgroup g on g.id = t.group_id
    where n.retired_at is null and (g.agency_id is null or g.agency_id = n.agency_id
        or g.agency_id in (select agency_id from radio_network_agency where network_id = n.id))
    order by t.id
"""
_RADIOS: Final = """
    select r.id, r.network_id, r.number, r.unit_id
    from radio r join radio_network n on n.id = r.network_id join unit u on u.id = r.unit_id
    where n.retired_at is null and u.retired_at is null and (u.agency_id = n.agency_id
        or u.agency_id in (select agency_id from radio_network_agency where network_id = n.id))
    order by r.id
"""


def _by_id(rows: list[Any], make: Callable[..., T]) -> dict[int, T]:
    return {row[0]: make(*row) for row in rows}


def _person(
    id: int, agency: int, name: str, full_name: str, roles: list[str], *rest: Any
) -> Person:
    return Person(id, agency, name, full_name, tuple(roles), *rest)


def _group(
    id: int, agency: int, name: str, people: list[int], units: list[int], agencies: list[int]
) -> Group:
    return Group(id, agency, name, frozenset(people), frozenset(units), frozenset(agencies))


def _radio_network(
    id: int, agency: int, name: str, others: list[int], gateways: list[int]
) -> RadioNetwork:
    return RadioNetwork(id, agency, name, frozenset(others), frozenset(gateways))


def _agreement(
    starts: datetime,
    ends: datetime | None,
    id: int,
    owner: int,
    viewer: int,
    units: str,
    *rest: Any,
) -> Agreement:
    return Agreement(starts, ends, id, owner, viewer, Precision[units.upper()], *rest)


def _exception(
    starts: datetime,
    ends: datetime | None,
    id: int,
    unit: int,
    viewer: int | None,
    units: str,
    *rest: Any,
) -> UnitException:
    return UnitException(starts, ends, id, unit, viewer, Precision[units.upper()], *rest)


def _provider(
    id: int,
    agency: int,
    name: str,
    issuer: str,
    client_id: str,
    client_secret: bytes,
    scopes: str,
    claim: str,
    amr: list[str],
    acr: list[str],
) -> Provider:
    return Provider(
        id, agency, name, issuer, client_id, client_secret, scopes, claim, tuple(amr), tuple(acr)
    )


def _incidents(rows: list[Any]) -> tuple[Incident, ...]:
    """Rows of members, in the order of their incidents."""
    return tuple(
        Incident(id, agency, frozenset(Member(*row[3:]) for row in members), number)
        for (id, agency, number), members in itertools.groupby(rows, key=lambda row: tuple(row[:3]))
    )


Subscriber = Callable[[Directory, Directory], None]


class DirectoryWatch:
    """Keeps :attr:`current` true to the database, through the database's absences.

    It holds a connection of its own. Changes within :attr:`debounce` seconds are one reload, and
    a reload that finds nothing changed tells nobody. While the database is away the last snapshot
    stays, :attr:`connected` is false, and it is reloaded on return.
    """

    def __init__(
        self,
        dsn: str,
        *,
        debounce: float = 0.1,
        first_retry: float = 0.1,
        longest_retry: float = 2.0,
        keepalive: float = 15.0,
    ) -> None:
        """All times in seconds; ``keepalive`` is how often a quiet connection is tried."""
        self.current = EMPTY
        self.connected = False
        self.debounce = debounce
        self._dsn = dsn
        self._first_retry = first_retry
        self._longest_retry = longest_retry
        self._keepalive = keepalive
        self._subscribers: list[Subscriber] = []
        self._channels: dict[str, list[Callable[[], None]]] = {}
        self._changed = asyncio.Event()
        self._tables: set[str] = set()
        """Which tables the notices since the last reload named."""
        self._conn: asyncpg.Connection[Any] | None = None
        self._loading = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    def subscribe(self, call: Subscriber) -> Callable[[], None]:
        """Call ``call(old, new)`` after each change; returns what ends the subscription."""
        self._subscribers.append(call)
        return lambda: self._subscribers.remove(call)

    def on_notice(self, channel: str, call: Callable[[], None]) -> None:
        """Call on each NOTIFY of another channel, and after a gap in which one may be missed.

        To be said before :meth:`start`.
        """
        self._channels.setdefault(channel, []).append(call)

    async def start(self) -> Directory:
        """Load for the first time and go on watching; raises when the database is not there."""
        await self._connect()
        await self.refresh()
        self._task = asyncio.create_task(self._watch(), name="directory watch")
        return self.current

    async def stop(self) -> None:
        """Stop watching and close the connection."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError, *_FAILURES):
                await self._task
            self._task = None
        self._drop()

    async def refresh(self) -> Directory:
        """Reload now, rather than when the notice arrives; the newest snapshot.

        For who has just written and goes on with the result. Raises when the database is away.
        """
        async with self._loading:
            conn = self._conn
            if conn is None or conn.is_closed():
                raise asyncpg.ConnectionDoesNotExistError("the directory's connection is gone")
            with database.answering(conn):
                new = await load(conn)
        old, self.current = self.current, new
        if new != old:
            self._tell(old, new)
        return new

    async def refresh_incidents(self) -> Directory:
        """As :meth:`refresh`, of who takes part in which incident alone: units come and go."""
        async with self._loading:
            conn = self._conn
            if conn is None or conn.is_closed():
                raise asyncpg.ConnectionDoesNotExistError("the directory's connection is gone")
            with database.answering(conn):
                incidents = _incidents(await conn.fetch(_MEMBERS))
            old = self.current
            if incidents == old.incidents:
                return old
            self.current = new = dataclasses.replace(old, incidents=incidents)
        self._tell(old, new)
        return new

    def _tell(self, old: Directory, new: Directory) -> None:
        for call in tuple(self._subscribers):
            try:
                call(old, new)
            except Exception:
                log.exception("a subscriber to the directory failed")

    async def _connect(self) -> None:
        conn = await asyncpg.connect(
            self._dsn, timeout=5, server_settings={"application_name": "psn directory"}
        )
        self._conn = conn
        conn.add_termination_listener(lambda *_: self._changed.set())
        with database.answering(conn):
            await conn.add_listener(DIRECTORY_CHANNEL, self._noticed)
            for channel, calls in self._channels.items():
                await conn.add_listener(channel, _caller(calls))
        self.connected = True

    def _noticed(self, conn: object, pid: int, channel: str, table: object) -> None:
        self._tables.add(str(table))
        self._changed.set()

    def _drop(self) -> None:
        self.connected = False
        conn, self._conn = self._conn, None
        if conn is not None and not conn.is_closed():
            conn.terminate()

    async def _watch(self) -> None:
        """Reload on notices; on any failure of the connection, get a new one and reload."""
        while True:
            try:
                await self._reload_on_notices()
            except _FAILURES as error:
                log.warning("the directory lost the database: %s", error)
            self._drop()
            await self._come_back()

    async def _reload_on_notices(self) -> None:
        while True:
            try:
                await asyncio.wait_for(self._changed.wait(), self._keepalive)
            except TimeoutError:
                async with self._loading:
                    assert self._conn is not None
                    with database.answering(self._conn):
                        await self._conn.execute("select 1")
                continue
            # Cleared before loading: a change during the load raises it again.
            await asyncio.sleep(self.debounce)
            self._changed.clear()
            tables, self._tables = self._tables, set()
            await (self.refresh_incidents() if tables <= _OF_INCIDENTS else self.refresh())

    async def _come_back(self) -> None:
        wait = self._first_retry
        while True:
            await asyncio.sleep(wait)
            wait = min(wait * 2, self._longest_retry)
            try:
                await self._connect()
                await self.refresh()
            except _FAILURES:
                self._drop()
                continue
            log.info("the directory has the database again")
            for calls in self._channels.values():
                _caller(calls)()
            return


_OF_INCIDENTS: Final = frozenset({"incident", "incident_member"})
_FAILURES: Final = (*database.PASSING, asyncpg.PostgresError)
"""Whatever asyncpg raises; the watch goes on after all of it."""


def _caller(calls: list[Callable[[], None]]) -> Callable[..., None]:
    def call(*_: object) -> None:
        for one in calls:
            try:
                one()
            except Exception:
                log.exception("a listener failed")

    return call
