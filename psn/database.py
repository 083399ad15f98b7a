"""Connections to PostgreSQL for the hot paths (asyncpg), and which of its failures pass."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

import asyncpg

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection: TypeAlias = asyncpg.Connection[Any] | PoolConnectionProxy[Any]


class Busy(Exception):
    """Another process has what can be had only once."""


class Unready(Exception):
    """The database is there, but not yet what it has to be: it is being restored, perhaps."""


PASSING = (
    Busy,
    Unready,
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InsufficientResourcesError,  # disk full, out of memory
    asyncpg.PostgresSystemError,  # I/O errors of the system under it
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.QueryCanceledError,
    asyncpg.InternalServerError,
    asyncpg.InternalClientError,  # a connection that broke in the middle of an operation
)
"""Failures of the database as a whole: the same work may succeed later, so it is kept."""

ANSWER_SECONDS = 10.0
"""A database that has not answered the network by then counts as away."""

_EWKB_POINT = struct.Struct("<BIIdd")


def point_of(ewkb: bytes) -> tuple[float, float]:
    """Longitude and latitude in degrees of a point as PostGIS sends it, with SRID."""
    _, _, _, lon, lat = _EWKB_POINT.unpack(ewkb)
    return lon, lat


def moment(milliseconds: int) -> datetime:
    """Milliseconds since 1970 UTC as a datetime."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def milliseconds(at: datetime) -> int:
    """A datetime as milliseconds since 1970 UTC."""
    return round(at.timestamp() * 1000)


@contextlib.contextmanager
def answering(connection: Connection) -> Iterator[None]:
    """Cut the connection when what is done inside takes longer than :data:`ANSWER_SECONDS`.

    A command's own timeout first asks the server to stop it and waits for the answer to that;
    a server that hangs gives none. What was waiting then fails as one of :data:`PASSING`.
    """
    cut = asyncio.get_running_loop().call_later(ANSWER_SECONDS, connection.terminate)
    try:
        yield
    finally:
        cut.cancel()


@contextlib.asynccontextmanager
async def asking(pool: asyncpg.Pool) -> AsyncIterator[Connection]:
    """A connection of the pool, for as long as answers come; raises as :data:`PASSING` else."""
    async with pool.acquire(timeout=ANSWER_SECONDS) as connection:
        with answering(connection):
            yield connection


async def prepare(connection: asyncpg.Connection) -> None:
    """Teach a connection to carry geometry as binary EWKB, in both directions.

    And let it learn arrays: asyncpg asks the database for each at its first use, which takes longer
    than the rest of what is done then. Raises :class:`Unready` where there is no PostGIS.
    """
    try:
        await connection.set_type_codec(
            "geometry", schema="public", encoder=bytes, decoder=bytes, format="binary"
        )
    except ValueError as problem:
        raise Unready(f"PostGIS is not there: {problem}") from problem
    await connection.prepare(_ARRAYS)


_ARRAYS = "select " + ", ".join(
    f"null::{kind}[]" for kind in ("bytea", "bigint", "int", "jsonb", "smallint", "text", "uuid")
)

_SESSION = {
    "application_name": "psn",
    # An acknowledgement says that it is on disk, whatever the database's own settings are.
    "synchronous_commit": "on",
    # Should this machine vanish, its locks go within half a minute instead of two hours.
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    # The hot paths look everything up by key. A plan that was made while a table was small would
    # read all of it, and is kept for as long as the connection lives.
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "plan_cache_mode": "force_generic_plan",
}


async def connect(dsn: str) -> asyncpg.Connection:
    """One connection, ready for the hot paths; raises one of :data:`PASSING` when it cannot."""
    connection: asyncpg.Connection = await asyncpg.connect(dsn, timeout=5, server_settings=_SESSION)
    try:
        with answering(connection):
            await prepare(connection)
    except BaseException:
        connection.terminate()
        raise
    return connection


async def pool(
    dsn: str, size: int = 8, at_once: int = 1, idle_seconds: float = 300.0
) -> asyncpg.Pool:
    """A pool for reads and rare writes; ``at_once`` connections are made now.

    What is not used for so long is closed; 0: never.
    """
    return await asyncpg.create_pool(
        dsn,
        min_size=at_once,
        max_size=size,
        init=prepare,
        timeout=5,
        command_timeout=30,
        max_inactive_connection_lifetime=idle_seconds,
    )


async def close_pool(pool: asyncpg.Pool) -> None:
    """Close it once what is under way has ended; after 5 s without regard to that."""
    try:
        async with asyncio.timeout(5):
            await pool.close()
    except TimeoutError:
        pool.terminate()
