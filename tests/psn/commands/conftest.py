"""The command line against a database of its own, in this process."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest
from click.testing import CliRunner, Result
from command_line import Psn, RunSql

from psn.__main__ import main


@pytest.fixture
def psn(database: str, monkeypatch: pytest.MonkeyPatch) -> Psn:
    """Run ``psn …`` on a migrated database; ``fails=True`` when it is expected to."""
    monkeypatch.setenv("PSN_DATABASE", database)

    def run(*arguments: str, fails: bool = False, typed: str | None = None) -> Result:
        result = CliRunner().invoke(main, arguments, input=typed, prog_name="psn")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert (result.exit_code != 0) == fails, result.output
        return result

    return run


@pytest.fixture
def run_sql(database: str) -> RunSql:
    def run(statement: str) -> object:
        async def work() -> object:
            conn = await asyncpg.connect(database)
            try:
                return await conn.fetchval(statement)
            finally:
                await conn.close()

        return asyncio.run(work())

    return run


@pytest.fixture
def agencies(psn: Psn) -> None:
    """Two agencies, ids 1 and 2."""
    psn("agency", "add", "bpd", "Belize Police Department", "--colour", "#5A6CCB")
    psn("agency", "add", "BCG", "Belize Coast Guard")
