"""How a test empties what nobody else may (docs/domain.md, DOM-RET-12)."""

from __future__ import annotations

from psn.watched import DOORS


def past_the_doors(statement: str) -> str:
    """A TRUNCATE with the doors open, as only the owner of the tables opens them."""
    doors = [(table, f"{table}_not_emptied") for table in DOORS]
    opened = "".join(f"alter table {table} disable trigger {door};" for table, door in doors)
    shut = "".join(f"alter table {table} enable trigger {door};" for table, door in doors)
    return f"{opened}{statement};{shut}"
