"""The devices of an agency, from the code that enrols one to its end.

A gateway that reports for units of all agencies is not made here: that is for whoever runs the
network (``psn device enrol --all-agencies``).
"""

from __future__ import annotations

import io
import secrets
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import segno
from msgspec import Meta, Struct

from dispatch.acting import acting
from dispatch.administration.values import (
    Body,
    Done,
    Ended,
    Id,
    Line,
    author_of,
    conflict,
    end_sessions,
)
from dispatch.asking import Asked, Route, not_found
from psn import database
from psn.enrolment import enrolment_code


class DeviceRow(Struct):
    """A device; without a unit it is a gateway. Times in milliseconds UTC.

    ``state``: ``enrolled``, ``revoked``, ``to_be_wiped`` (it is told when it shows up), ``wiped``.
    """

    id: int
    label: str
    unit: int | None
    callsign: str | None
    gateway: bool
    state: str
    enrolled: int
    online: bool


class CodeRow(Struct):
    """A code that waits for its device; the code itself is not kept."""

    id: int
    label: str
    unit: int | None
    callsign: str | None
    gateway: bool
    author: str
    until: int


class Devices(Struct):
    """Devices of the caller's agency, and the codes that wait for one."""

    devices: list[DeviceRow]
    codes: list[CodeRow]


class NewCode(Body):
    """What a device will speak for; without a unit it is a gateway of the caller's agency."""

    label: Line
    unit: Id | None = None
    hours: Annotated[int, Meta(ge=1, le=720)] = 24


class MadeCode(Struct):
    """A code that is shown this once: to be typed, as an address, and as a picture (SVG) of it."""

    id: int
    code: str
    uri: str
    qr: str
    until: int


class NewLabel(Body):
    """What a device is called."""

    label: Line


async def list_devices(asked: Asked) -> Devices:
    """The devices of the caller's agency, and codes that wait."""
    agency = asked.own("device", "see")
    async with asked.pool.acquire() as connection:
        devices = await connection.fetch(_DEVICES, agency)
        codes = await connection.fetch(_CODES, agency)
    live = {session.principal.device for session in asked.core.sessions.all}
    return Devices(
        [
            DeviceRow(
                row["id"],
                row["label"],
                row["unit_id"],
                row["callsign"],
                row["gateway"],
                _state(row),
                database.milliseconds(row["enrolled_at"]),
                row["id"] in live,
            )
            for row in devices
        ],
        [
            CodeRow(
                row["id"],
                row["label"],
                row["unit_id"],
                row["callsign"],
                row["gateway"],
                author_of(row["author"], asked.core.directory),
                database.milliseconds(row["expires_at"]),
            )
            for row in codes
        ],
    )


_DEVICES: Final = """
    SELECT d.id, d.label, d.unit_id, u.callsign, d.gateway, d.enrolled_at,
           d.revoked_at, d.wipe_ordered_at, d.wiped_at
      FROM device d LEFT JOIN unit u ON u.id = d.unit_id
     WHERE d.agency_id = $1 ORDER BY d.revoked_at IS NOT NULL, d.label, d.id
"""
_CODES: Final = """
    SELECT e.id, e.label, e.unit_id, u.callsign, e.gateway, e.author, e.expires_at
      FROM enrolment e LEFT JOIN unit u ON u.id = e.unit_id
     WHERE e.agency_id = $1 AND e.used_at IS NULL AND e.expires_at > now() ORDER BY e.id
"""


def _state(row: Any) -> str:
    if row["wiped_at"] is not None:
        return "wiped"
    if row["wipe_ordered_at"] is not None:
        return "to_be_wiped"
    return "enrolled" if row["revoked_at"] is None else "revoked"


async def make_code(asked: Asked) -> MadeCode:
    """Make a code with which one device enrols itself."""
    agency = asked.own("device", "manage")
    body: NewCode = asked.body
    if body.unit is not None:
        unit = asked.core.directory.units.get(body.unit)
        if unit is None or unit.agency != agency:
            raise not_found()
        if unit.retired:
            raise conflict("retired", f"{unit.callsign} is out of use.", "Take it back first.")
    code = enrolment_code.new(secrets.choice)
    label, ends = body.label.strip(), datetime.now(UTC) + timedelta(hours=body.hours)
    async with acting(asked) as connection:
        await _only_one_waits(connection, agency, label, body.unit)
        number = await connection.fetchval(
            "INSERT INTO enrolment (code_hash, agency_id, unit_id, label, gateway, author,"
            " expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
            enrolment_code.kept(code),
            agency,
            body.unit,
            label,
            body.unit is None,
            asked.who.address,
            ends,
        )
    uri = enrolment_code.uri(asked.origin, code)
    shown, until = enrolment_code.shown(code), database.milliseconds(ends)
    return MadeCode(number, shown, uri, _picture(uri), until)


def _picture(text: str) -> str:
    """A QR code as an SVG document."""
    drawn = io.BytesIO()
    made = segno.make(text, error="m", micro=False)
    made.save(drawn, kind="svg", xmldecl=False, scale=4, border=2)
    return drawn.getvalue().decode()


async def _only_one_waits(
    connection: database.Connection, agency: int, label: str, unit: int | None
) -> None:
    """Two codes for the same would be two devices: what was clicked twice is made once."""
    await connection.execute("SELECT FROM agency WHERE id = $1 FOR NO KEY UPDATE", agency)
    there = await connection.fetchval(
        "SELECT id FROM enrolment WHERE agency_id = $1 AND label = $2"
        " AND unit_id IS NOT DISTINCT FROM $3 AND used_at IS NULL AND expires_at > now()",
        agency,
        label,
        unit,
    )
    if there is not None:
        raise conflict(
            "code_waits",
            f"Code {there} waits for {label} already; a code is shown only once.",
            "Cancel it to make another, or choose another label.",
        )


async def cancel_code(asked: Asked) -> Done:
    """Make a code that was not used yet worthless."""
    agency = asked.own("device", "manage")
    async with acting(asked) as connection:
        found = await connection.fetchval(
            "UPDATE enrolment SET expires_at = now() WHERE id = $1 AND agency_id = $2"
            " AND used_at IS NULL AND expires_at > now() RETURNING id",
            asked.path_id(),
            agency,
        )
        if found is None:
            raise not_found()
    return Done()


async def rename_device(asked: Asked) -> Done:
    """Call a device something else."""
    number, body = _managed(asked), asked.body
    async with acting(asked) as connection:
        await connection.execute(
            "UPDATE device SET label = $2 WHERE id = $1", number, body.label.strip()
        )
    return Done()


async def revoke_device(asked: Asked) -> Ended:
    """Let a device in no more, and end its sessions."""
    number = _managed(asked)
    async with acting(asked) as connection:
        await connection.execute(
            "UPDATE device SET revoked_at = coalesce(revoked_at, now()) WHERE id = $1", number
        )
        return Ended(await end_sessions(connection, "device_id", number))


async def wipe_device(asked: Asked) -> Done:
    """Revoke a lost device and let it erase itself: now, or when it shows up."""
    number = _managed(asked)
    async with acting(asked) as connection:
        # Its sessions are not ended here: a live one is how it learns of this.
        await connection.execute(
            "UPDATE device SET revoked_at = coalesce(revoked_at, now()),"
            " wipe_ordered_at = coalesce(wipe_ordered_at, now())"
            " WHERE id = $1 AND wiped_at IS NULL",
            number,
        )
    return Done()


def _managed(asked: Asked) -> int:
    """The device of the path, which the caller may manage."""
    asked.own("device", "manage")
    found = asked.core.directory.devices.get(asked.path_id())
    if found is None or found.agency != asked.who.agency:
        raise not_found()
    return found.id


_ONE: Final = "/api/devices/{id}"
ROUTES: Final = (
    Route("/api/devices", list_devices, Devices),
    Route("/api/enrolments", make_code, MadeCode, method="POST", takes=NewCode, fresh=True),
    Route("/api/enrolments/{id}", cancel_code, Done, method="DELETE"),
    Route(f"{_ONE}/label", rename_device, Done, method="POST", takes=NewLabel),
    Route(f"{_ONE}/revoke", revoke_device, Ended, method="POST"),
    Route(f"{_ONE}/wipe", wipe_device, Done, method="POST"),
)
