"""What the server says of itself on ``/metrics``: a reader of Prometheus's text format."""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import urlsplit

LAG: Final = "psn_loop_lag_seconds_bucket"
CONFLATED: Final = "psn_seats_conflated_total"
WAITING: Final = "psn_positions_waiting"
PATIENCE: Final = 5.0


def parse(text: str) -> dict[str, float]:
    """Every sample by its name with labels, as written."""
    found = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            found[name] = float(value)
    return found


async def read(url: str) -> dict[str, float]:
    """The figures now; none when the server does not answer in time."""
    parts = urlsplit(url)
    if parts.scheme != "http":
        return {}
    try:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            try:
                writer.write(
                    b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                )
                answer = await reader.read()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return {}
    head, _, body = answer.partition(b"\r\n\r\n")
    return parse(body.decode()) if b" 200 " in head.splitlines()[0] else {}


def lag_ms(before: dict[str, float], after: dict[str, float], wanted: float) -> float | None:
    """A percentile of the server's event-loop lag between two readings: its bucket's bound.

    None when the server counts no lag, or counted nothing meanwhile.
    """
    rows = []
    for name, count in after.items():
        if name.startswith(LAG):
            bound = float(name.partition('le="')[2].rstrip('"}').replace("+Inf", "inf"))
            rows.append((bound, count - before.get(name, 0.0)))
    rows.sort()
    if not rows or rows[-1][1] <= 0:
        return None
    for bound, count in rows:
        if count >= rows[-1][1] * wanted / 100:
            return None if bound == float("inf") else bound * 1000
    return None
