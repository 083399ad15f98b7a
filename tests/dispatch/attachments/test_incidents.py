"""What is attached to an incident: in its log, and seen by whoever takes part there."""

from __future__ import annotations

from attached import entered, photo
from desk_peer import Worker
from stage import CAR, Stage


async def test_a_photo_of_the_scene_is_in_the_log_and_seen_by_who_takes_part(
    stage: Stage,
) -> None:
    """DOM-FILE-8."""
    desk, guest = await Worker.enter(stage, "ana"), await Worker.enter(stage, "cyd")
    number = (await desk.do("incident.open", title="Crash"))["incident"]
    await desk.do("incident.assign", incident=number, units=[CAR])
    async with entered(stage, CAR) as car, entered(stage, "cyd") as cyd:
        path, said = await car.attach(photo(), about=f"incident:{number}")
        assert said["state"] == "ready"
        log = (await car.ask("GET", f"/api/incidents/{number}/log")).said["events"]
        assert [event["seq"] for event in log] == list(range(1, len(log) + 1))
        attached = [event for event in log if event["kind"] == "attached"]
        (event,) = attached
        assert event["author_name"] == "P-1"
        assert event["details"] == {"attachment": path.rpartition("/")[2], "kind": "photo"}
        await desk.sees(f"incident:{number}", log=len(log))

        assert (await cyd.ask("GET", path)).status == 404
        refused = (await cyd.begin(photo(), about=f"incident:{number}"))[1]
        assert (refused.status, refused.code) == (404, "not_found")
        asked = await desk.do("incident.invite", incident=number, agency=3, text="a road block")
        await guest.do("invitation.answer", invitation=asked["id"], answer="accepted")
        assert (await cyd.ask("GET", f"{path}/content")).status == 200
        await guest.do("incident.leave", incident=number)
        assert (await cyd.ask("GET", f"{path}/content")).status == 404
    await desk.leave()
    await guest.leave()
