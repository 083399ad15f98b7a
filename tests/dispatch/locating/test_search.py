"""What is typed and what is clicked, asked over HTTP of a real gazetteer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio
from clerks import Clerk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stage import BCG, BPD, CUSTOMS, Stage

from dispatch.locating import search
from geo.coordinates import from_e7, geodesic_m
from geo.gazetteer import Entry
from psn import places

SignIn = Callable[[str], Awaitable[Clerk]]

PIER = (-87.9632, 17.9155)
CITY = (-88.19756, 17.49952)
ROAD = "George Price Highway"


@pytest_asyncio.fixture
async def dispatcher(stage: Stage, sign_in: SignIn) -> Clerk:
    """A dispatcher of the police, with the settlements, landmarks of three agencies and markers."""
    async with stage.core.pool.acquire() as connection:
        await places.load_country(connection)
        markers = [
            Entry(f"Mile {n} {ROAD}", "mile_marker", -88.2 - n * 0.015, 17.49 - n * 0.006,
                  (), 0, ROAD, float(n), f"{ROAD} {n}")
            for n in (0, 1, 2, 31, 32, 40)
        ]  # fmt: skip
        await places.load(connection, markers, None, "test")
        for agency, name in ((BPD, "San Pedro pier"), (BCG, "Secret cove"), (CUSTOMS, "Cove")):
            entry = Entry(name, "pier", *PIER, key=name)
            await places.load(connection, [entry], agency, "test")
        rows = await connection.fetch("select name, id from place where agency_id is not null")
        for row in rows:
            await connection.execute(
                "insert into place_note (agency_id, place_id, point, radius_m, kind, text, author)"
                " select agency_id, id, point, 200, 'hazard', 'Loose planks of ' || name, 'test'"
                " from place where id = $1",
                row["id"],
            )
    return await sign_in("bpd.dispatcher")


async def find(clerk: Clerk, typed: str, more: str = "") -> dict[str, Any]:
    answer: dict[str, Any] = await clerk.get(f"/api/places?q={quote(typed, safe='')}{more}")
    return answer


def away(found: dict[str, Any], lon: float, lat: float) -> float:
    return geodesic_m(from_e7(found["lon"]), from_e7(found["lat"]), lon, lat)


NAMES = {
    "San Pedro": "San Pedro",
    "Sanpedro": "San Pedro",
    "Cay Caulker": "Caye Caulker",
    "key caulker": "Caye Caulker",
    "belmopn": "Belmopan",
    "San Ignasio": "San Ignacio",
    "succotz": "San Jose Soccoths",
    "sn pedro": "San Pedro",
    "san pedro peir": "San Pedro pier",
    "Orange Walk Town": "Orange Walk",
    "dangrega": "Dangriga",
    "orang wolk": "Orange Walk",
    "kay kolker": "Caye Caulker",
    "plasensia": "Placencia",
    "benqe viejo": "Benque Viejo el Carmen",
}


async def test_a_name_however_it_is_spelt(dispatcher: Clerk) -> None:
    """DOM-PLACE-3."""
    for typed, name in NAMES.items():
        answer = await find(dispatcher, typed)
        first = answer["found"][0]
        assert (typed, first["name"], answer["told"]) == (typed, name, None)
        assert first["place"] is not None and first["reason"] and first["precision"] > 0
        assert first["doubt"] is None


async def test_near_decides_between_places_of_one_name(dispatcher: Clerk) -> None:
    everywhere = (await find(dispatcher, "San Pedro"))["found"]
    assert (everywhere[0]["district"], everywhere[0]["kind"]) == ("Belize", "settlement")
    for other in ("Corozal", "Toledo"):
        there = next(f for f in everywhere if f["district"] == other)
        near = await find(dispatcher, "San Pedro", f"&near={there['lon']},{there['lat']}")
        assert near["found"][0]["district"] == other


async def test_numbers_in_any_notation(dispatcher: Clerk) -> None:
    """DOM-PLACE-1."""
    for typed in (
        "17.49952, -88.19756",
        "17°29'58.27\"N 88°11'51.22\"W",
        "16Q 372858 1935213",
        "https://maps.google.com/?q=17.49952,-88.19756",
    ):
        (found,) = (await find(dispatcher, typed))["found"]
        assert away(found, *CITY) < 10
        assert (found["kind"], found["district"], found["place"]) == ("position", "Belize", None)
        assert found["doubt"] is None


async def test_a_lost_sign_is_told_and_both_are_offered(dispatcher: Clerk) -> None:
    """DOM-PLACE-2."""
    meant, written = (await find(dispatcher, "17.49952 88.19756"))["found"]
    assert away(meant, *CITY) < 5
    assert "another sign: assumed" in meant["reason"]
    assert (written["lon"], written["lat"]) == (881_975_600, 174_995_200)
    assert meant["doubt"] == written["doubt"]
    assert "did you mean 17.49952°N 88.19756°W?" in written["doubt"]


async def test_so_far_from_a_place(dispatcher: Clerk) -> None:
    """DOM-PLACE-4."""
    (found, *others) = (await find(dispatcher, "2.5 nm east of Caye Caulker"))["found"]
    assert (found["name"], found["kind"]) == ("2.5 nm E of Caye Caulker", "offset")
    assert "measured from Caye Caulker, Belize District" in found["reason"]
    caulker = (await find(dispatcher, "Caye Caulker"))["found"][0]
    assert away(found, from_e7(caulker["lon"]), from_e7(caulker["lat"])) == pytest.approx(
        4_630, abs=1
    )
    assert found["lon"] > caulker["lon"]
    for typed in ("2.5 NM E Caye Caulker", "2.5 mn al este de Cayo Caulker"):
        again = (await find(dispatcher, typed))["found"][0]
        assert (again["name"], again["lon"]) == (found["name"], found["lon"])
    assert found["precision"] > 1_000
    assert all(each["kind"] != "offset" for each in others)
    pier = (await find(dispatcher, "500 m NNW of San Pedro peir"))["found"][0]
    assert away(pier, *PIER) == pytest.approx(500, abs=1)
    several = (await find(dispatcher, "1 km north of San Pedro"))["found"]
    assert sum(each["kind"] == "offset" for each in several) == 3


async def test_a_direction_that_begins_a_name_is_no_direction(dispatcher: Clerk) -> None:
    """DOM-PLACE-4: South Water Caye is not two miles south of Water Caye."""
    answer = await find(dispatcher, "2 nm South Water Caye")
    assert answer["found"][0]["name"] == "South Water Caye"
    assert all(each["kind"] != "offset" for each in answer["found"])
    assert "South Water Caye is taken for a name, so the direction is missing" in answer["told"]
    measured = (await find(dispatcher, "2 nm east South Water Caye"))["found"][0]
    assert (measured["name"], measured["kind"]) == ("2 nm E of South Water Caye", "offset")
    for street in ("North Front Street", "West Street", "East Canal Street"):
        answer = await find(dispatcher, f"1 mile {street}")
        assert all(each["kind"] != "offset" for each in answer["found"]), street
        assert f"{street} is taken for a name" in answer["told"]


async def test_what_is_measured_from_nothing_is_told(dispatcher: Clerk) -> None:
    answer = await find(dispatcher, "2 nm east of Zzyzx")
    assert answer == {"found": [], "told": "No place is called like Zzyzx."}
    answer = await find(dispatcher, "2 nm off Caye Caulker")
    assert "direction is missing" in answer["told"]


async def test_a_short_plus_code_with_its_town(dispatcher: Clerk) -> None:
    found = (await find(dispatcher, "FRX2+RX Belize City"))["found"][0]
    assert away(found, *CITY) < 25
    assert found["reason"] == "plus code near Belize City, Belize District"


async def test_the_mile_of_a_road(dispatcher: Clerk) -> None:
    """DOM-PLACE-5."""
    marker = (await find(dispatcher, "mile 32 George Price Highway"))["found"][0]
    assert away(marker, -88.2 - 0.48, 17.49 - 0.192) < 1
    assert (marker["kind"], marker["precision"]) == ("mile_marker", 10)
    assert marker["place"] is not None
    for typed in ("Western Highway mile 31.5", "mile 31 1/2 geroge price hwy"):
        between = (await find(dispatcher, typed))["found"][0]
        assert away(between, -88.2 - 0.4725, 17.49 - 0.189) < 2
        assert "reckoned between mile 31 and mile 32" in between["reason"]
        assert between["place"] is None and between["precision"] > 50
    (km, *_) = (await find(dispatcher, "km 50.5 George Price Highway"))["found"]
    assert km["name"] == "Mile 31.4 (km 50.5) George Price Highway"
    for typed in ("mile 36 George Price Highway", "mile 41 George Price Highway", "mile 1 Nowhere"):
        assert "No marker near" in (await find(dispatcher, typed))["told"]


async def test_the_notes_of_the_own_agency_come_with_the_place_and_no_others(
    dispatcher: Clerk, sign_in: SignIn
) -> None:
    """DOM-PLACE-6 and DOM-PLACE-7."""
    for typed in ("San Pedro pier", f"{PIER[1]}, {PIER[0]}"):
        found = (await find(dispatcher, typed))["found"][0]
        (note,) = found["notes"]
        assert (note["text"], note["kind"]) == ("Loose planks of San Pedro pier", "hazard")
        assert (note["distance"], note["radius"]) == (0, 200)
    for typed in ("Secret cove", "Cove"):
        assert all(f["agency"] in (None, BPD) for f in (await find(dispatcher, typed))["found"])
    customs = await sign_in("cus.dispatcher")
    found = (await find(customs, "cove"))["found"]
    assert [f["name"] for f in found if f["agency"]] == ["Cove"]
    here = await at(customs, *PIER)
    assert [note["text"] for note in here["notes"]] == ["Loose planks of Cove"]


async def test_a_note_holds_within_its_radius_and_its_time(stage: Stage, dispatcher: Clerk) -> None:
    """DOM-PLACE-6."""

    async def notes(metres_north: float) -> int:
        lat = PIER[1] + metres_north / 110_650
        return len((await find(dispatcher, f"{lat:.6f}, {PIER[0]:.6f}"))["found"][0]["notes"])

    assert [await notes(m) for m in (0, 190, 210)] == [1, 1, 0]
    await stage.core.pool.execute("update place_note set radius_m = 50000")
    assert [await notes(m) for m in (49_000, -49_000, 51_000)] == [1, 1, 0]
    await stage.core.pool.execute("update place_note set starts_at = now() + interval '1 hour'")
    assert await notes(0) == 0
    await stage.core.pool.execute(
        "update place_note set starts_at = now() - interval '1 hour', ends_at = now()"
    )
    assert await notes(0) == 0


async def test_what_was_retired_is_not_found(stage: Stage, dispatcher: Clerk) -> None:
    await stage.core.pool.execute("update place set retired_at = now() where name = 'Xaibe'")
    assert all(f["name"] != "Xaibe" for f in (await find(dispatcher, "Xaibe"))["found"])


async def at(clerk: Clerk, lon: float, lat: float) -> dict[str, Any]:
    path = f"/api/places/at?lon={round(lon * 1e7)}&lat={round(lat * 1e7)}"
    answer: dict[str, Any] = await clerk.get(path)
    return answer


async def test_what_is_at_a_point(dispatcher: Clerk) -> None:
    """DOM-PLACE-8."""
    here = await at(dispatcher, -88.5712, 18.0890)
    assert here["words"] == "1.2 km NW of Orange Walk"
    assert (here["district"], here["ground"]) == ("Orange Walk", "land")
    assert here["nearest"]["kind"] == "settlement"
    assert (here["nearest"]["bearing"], here["doubt"]) == (pytest.approx(316, abs=3), None)
    assert here["dms"] == "18°05'20.40\"N 088°34'16.32\"W"
    assert here["utm"].startswith("16N 33") and here["mgrs"].startswith("16Q CF 33")
    assert here["mark"] is None
    sea = await at(dispatcher, -87.6, 17.0)
    assert (sea["ground"], sea["district"]) == ("sea", None)
    pier = await at(dispatcher, *PIER)
    assert pier["words"] == "at San Pedro pier"
    assert (await at(dispatcher, -88.2, 17.49))["mark"]["words"] == "at Mile 0 George Price Highway"


async def test_a_point_far_away_is_told_as_such(dispatcher: Clerk) -> None:
    away = await at(dispatcher, 88.2, 17.5)
    assert "did you mean" in away["doubt"]
    assert (away["utm"], away["mgrs"], away["ground"]) == (None, None, None)
    assert "no position" in (await at(dispatcher, 0, 0))["doubt"]
    pole = await at(dispatcher, 0, 90)
    assert pole["nearest"]["distance"] > 7_000_000 and " km N of " in pole["words"]


BAD = [
    "/api/places",
    "/api/places?q=",
    "/api/places?q=%20%20",
    "/api/places?q=a%00b",
    "/api/places?q=" + "x" * 2_001,
    "/api/places?q=a&near=1",
    "/api/places?q=a&near=-88.2,17.5",
    "/api/places?q=a&near=1800000001,0",
    "/api/places?q=a&limit=0",
    "/api/places?q=a&q=b",
    "/api/places/at",
    "/api/places/at?lon=1",
    "/api/places/at?lon=x&lat=1",
    "/api/places/at?lon=0&lat=900000001",
]


async def test_bad_questions_are_refused_in_a_sentence(dispatcher: Clerk) -> None:
    for path in BAD:
        assert await dispatcher.refused("GET", path) == (400, "bad_parameter"), path


async def test_an_agency_with_an_empty_gazetteer_is_told_so(sign_in: SignIn) -> None:
    clerk = await sign_in("bpd.dispatcher")
    answer = await find(clerk, "San Pedro")
    assert answer["found"] == [] and "Nothing is called like this" in answer["told"]
    here = await at(clerk, *CITY)
    assert here["nearest"] is None and here["words"] == here["dms"]


PIECES = st.sampled_from(
    ["San", "Pedro", "17", "-88", "N", "°", "mile 1", "2 nm", "of", "east", "%", "_", "\\", "'",
     '"', "👍", "مرحبا", "\u202e", ROAD, "a" * 300, "|", "(", "*"]
)  # fmt: skip
TYPED = st.lists(PIECES, min_size=1, max_size=8).map(" ".join) | st.text(
    st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80
)


async def test_whatever_is_typed_is_answered(dispatcher: Clerk) -> None:
    loop = asyncio.get_running_loop()

    @settings(max_examples=60, suppress_health_check=list(HealthCheck), database=None)
    @given(TYPED)
    def ask(typed: str) -> None:
        path = f"/api/places?q={quote(typed, safe='')}"
        asking = asyncio.run_coroutine_threadsafe(dispatcher.ask("GET", path), loop)
        status, answer = asking.result(30)
        if status == 200:
            assert len(answer["found"]) <= search.MOST_FOUND
            assert answer["found"] or answer["told"]
        else:
            assert (status, answer["error"]["code"]) == (400, "bad_parameter")

    await asyncio.to_thread(ask)
