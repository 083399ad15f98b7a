"""What Alembic runs: on the connection that psn.migrate hands over, or on PSN_DATABASE's."""

from __future__ import annotations

import asyncio
import os

from alembic import context
from sqlalchemy import Connection

from psn.migrate import belongs_to_models
from psn.schema import Base, connect_engine


def run(connection: Connection) -> None:
    """Run the asked-for revisions on an open connection."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_name=belongs_to_models,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def _run_by_environment() -> None:
    """Serve Alembic's own command line, used to write a new revision."""
    engine = connect_engine(os.environ["PSN_DATABASE"])
    async with engine.begin() as connection:
        await connection.run_sync(run)
    await engine.dispose()


_given = context.config.attributes.get("connection")
if _given is not None:
    run(_given)
else:
    asyncio.run(_run_by_environment())
