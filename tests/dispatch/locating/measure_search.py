"""How long a search takes among 10,000 places; not a test, since a machine's speed is none.

    python tests/dispatch/locating/measure_search.py [PLACES] [ROUNDS]

One connection to a private PostgreSQL; each round asks for every line of :data:`TYPED` once: what
was typed is read, looked up and ranked, and the notes around what was found are fetched, as
``GET /api/places`` does it, without HTTP.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path

import asyncpg

from dispatch.locating.notes import around
from dispatch.locating.search import _point, _search
from geo.gazetteer import Entry, country
from psn import directory_watch, migrate, places
from psn.cluster import Cluster

TYPED = (
    "San Pedro", "Sanpedro", "belmopn", "Cay Caulker", "San Ignasio", "san", "mark", "m",
    "mark 4711", "2.5 nm east of Caye Caulker", "mile 32.5 Western Highway", "17.4995 -88.1976",
    "16Q 372858 1935213", "shell belmopan", "Zzyzx", "Old bridge at Orange Walk",
)  # fmt: skip
NEAR = (-88.2, 17.5)
ROAD = "George Price Highway"


def entries(number: int) -> list[Entry]:
    """Mile markers, landmarks called like settlements, and hundred-metre marks."""
    dice = random.Random(1)
    towns = country()
    made = [
        Entry(
            f"Mile {n} {ROAD}", "mile_marker", -88.2 - n * 0.01, 17.4, (), 0, ROAD, n, f"mile {n}"
        )
        for n in range(80)
    ]
    for n in range(number - len(made)):
        town, lon, lat = dice.choice(towns), dice.uniform(-89, -88), dice.uniform(16.2, 18.3)
        word = dice.choice(("Shell", "Old bridge at", "School of", "Mark of"))
        name = f"{word} {town.name} {n}" if n % 4 else f"Mark {n}"
        made.append(Entry(name, "landmark" if n % 4 else "mark", lon, lat, key=str(n)))
    return made


async def measure(dsn: str, number: int, rounds: int) -> None:
    """Print what each line of :data:`TYPED` takes, and all together."""
    connection = await asyncpg.connect(dsn)
    await connection.execute(
        "insert into agency (code, name, colour) values ('BPD', 'Police', '#000000')"
    )
    await places.load_country(connection)
    begun = time.perf_counter()
    await places.load(connection, entries(number), 1, "measured")
    print(f"{number} places loaded in {time.perf_counter() - begun:.1f} s")
    await connection.execute(
        "insert into place_note (agency_id, point, radius_m, kind, text, author)"
        " select 1, point, 200, 'premise', name, 'measured' from place order by id limit 2000"
    )
    await connection.execute("analyze")
    directory = await directory_watch.load(connection)
    took: dict[str, list[float]] = {typed: [] for typed in TYPED}
    for _ in range(rounds):
        for typed in TYPED:
            begun = time.perf_counter()
            found, _ = await _search(connection, 1, typed, NEAR)
            await around(connection, 1, [_point(f) for f in found[:10]], directory)
            took[typed].append((time.perf_counter() - begun) * 1e3)
    for typed, times in took.items():
        print(f"{_part(times, 0.5):7.1f} ms p50 {_part(times, 0.99):7.1f} ms p99  {typed}")
    every = [each for times in took.values() for each in times]
    print(f"{_part(every, 0.5):7.1f} ms p50 {_part(every, 0.99):7.1f} ms p99  all {len(every)}")
    await connection.close()


def _part(times: list[float], part: float) -> float:
    return sorted(times)[min(int(len(times) * part), len(times) - 1)]


def main() -> None:
    """Measure."""
    number, rounds = (int(each) for each in (*sys.argv[1:], "10000", "50")[:2])
    place = Path(tempfile.mkdtemp(prefix="psn-measure-"))
    place.chmod(0o755)
    with Cluster(place, durable=False) as cluster:
        dsn = cluster.create_database("measured")
        migrate.upgrade(dsn)
        asyncio.run(measure(dsn, number, rounds))


if __name__ == "__main__":
    main()
