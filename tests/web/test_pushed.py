"""Warnings that come when the page is closed: subscribed on tablet and console, shown by a worker.

No push service is reached from here. What the browser gets of one is said to it by its own protocol
(CDP, ``ServiceWorker.deliverPushMessage``), and what it would subscribe with is put in its place.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from accessible import violations
from playwright.async_api import BrowserContext, Page, expect
from screens import Screens, at_work, keep
from tablets import Tablet, eventually, new_unit, rows

pytestmark = pytest.mark.browser
SUBSCRIBES = """{
    const keys = {
        p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcx'
            + 'aOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
        auth: 'BTBZMqHH6r4Tts7J_aSIgg',
    };
    const endpoint = 'https://fcm.googleapis.com/fcm/send/one';
    let there = null;
    PushManager.prototype.getSubscription = async () => there;
    PushManager.prototype.subscribe = async ({ userVisibleOnly, applicationServerKey }) => {
        if (!userVisibleOnly || applicationServerKey.length !== 87) throw new Error('refused');
        return (there = {
            endpoint,
            toJSON: () => ({ endpoint, keys }),
            unsubscribe: async () => !(there = null),
        });
    };
}"""
"""For a page: a browser that subscribes without a push service (the keys are of RFC 8291)."""
SUBSCRIBED = """
    select split_part(address, ' ', 1) as holder, language from warning_recipient
     where channel = 'push' and ended_at is null order by id
"""
SAID = {
    "id": 7,
    "warning": 3,
    "status": "Actual",
    "cancelled": False,
    "language": "en-BZ",
    "title": "NEMO: Hurricane warning for Belize City",
    "body": "Go to a shelter now.",
}


async def test_a_tablet_and_a_console_are_subscribed_and_end_it(
    screens: Screens, tablet: Tablet, database: str
) -> None:
    """DOM-WRN-44, DOM-WRN-45."""
    unit, code = await new_unit(database)
    await tablet.enrol(code)
    await allow(tablet.context)
    await tablet.page.reload()
    await tablet.page.get_by_role("button", name="More").click()
    choice = tablet.page.get_by_role("group", name="Warnings when this page is closed")
    await choice.get_by_role("button", name="On").click()
    await expect(choice.get_by_role("button", name="On")).to_have_attribute("aria-pressed", "true")
    await choice.scroll_into_view_if_needed()
    await keep(tablet.page, "pushed-tablet")
    assert await rows(database, SUBSCRIBED) == [{"holder": f"unit:{unit}", "language": "en-BZ"}]

    desk = await screens.open(bypass_csp=True)
    await allow(desk.context)
    await desk.reload()
    await screens.sign_in("bpd.dispatch", desk)
    await at_work(desk)
    await account(desk)
    box = desk.get_by_role("checkbox", name="On")
    await box.check()
    await expect(box).to_be_checked()
    await keep(desk, "pushed-console")
    assert await violations(desk) == []
    # One browser is of who used it last; here both have the same address.
    (only,) = await rows(database, SUBSCRIBED)
    assert only["holder"].startswith("person:")
    await box.uncheck()

    async def none() -> bool:
        return await rows(database, SUBSCRIBED) == []

    await eventually(none)
    await expect(box).not_to_be_checked()


async def test_a_browser_that_does_not_allow_it_says_so(screens: Screens, database: str) -> None:
    desk = await screens.open()
    await desk.context.add_init_script(
        "Notification.requestPermission = async () => 'denied';"
        "Object.defineProperty(Notification, 'permission', { get: () => 'denied' });"
    )
    await desk.reload()
    await screens.sign_in("bpd.dispatch", desk)
    await at_work(desk)
    await account(desk)
    await expect(desk.get_by_text("Notifications are not allowed.")).to_be_visible()
    assert await rows(database, SUBSCRIBED) == []


async def test_the_worker_shows_what_comes_and_its_update_in_its_place(screens: Screens) -> None:
    """DOM-WRN-44."""
    desk = await screens.open()
    await desk.context.grant_permissions(["notifications"])
    await desk.evaluate(
        """async () => {
            const of = await navigator.serviceWorker.register('/push-worker.js', {
                scope: '/push/',
            });
            const soon = (done) => setTimeout(done, 20);
            while (of.active?.state !== 'activated') await new Promise(soon);
        }"""
    )
    push = await pusher(desk)
    for said in (SAID, SAID | {"id": 8, "title": "NEMO: Hurricane warning, updated"}):
        await push(json.dumps(said))

        async def shown(title: str = str(said["title"])) -> bool:
            return await notifications(desk) == [[title, SAID["body"], "warning-3"]]

        await eventually(shown)
    await push("no JSON")

    async def both() -> bool:
        return "NEMO" in [title for title, _, _ in await notifications(desk)]

    await eventually(both)


async def allow(context: BrowserContext) -> None:
    await context.grant_permissions(["notifications", "geolocation"])
    await context.add_init_script(SUBSCRIBES)


async def account(page: Page) -> None:
    """Open one's own account."""
    await page.get_by_role("button", name=re.compile("My account")).click()


async def pusher(page: Page) -> Any:
    """Something that delivers a push message to the worker of the page's origin."""
    session = await page.context.new_cdp_session(page)
    found: list[str] = []
    session.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda told: found.extend(
            each["registrationId"]
            for each in told["registrations"]
            if each["scopeURL"].endswith("/push/")
        ),
    )
    await session.send("ServiceWorker.enable")

    async def known() -> bool:
        return bool(found)

    await eventually(known)

    async def push(data: str) -> None:
        origin = page.url.rstrip("/")
        of = {"origin": origin, "registrationId": found[0], "data": data}
        await session.send("ServiceWorker.deliverPushMessage", of)

    return push


async def notifications(page: Page) -> list[list[str]]:
    shown: list[list[str]] = await page.evaluate(
        """async () => {
            const of = await navigator.serviceWorker.getRegistration('/push/');
            const shown = await of.getNotifications();
            return shown.map(({ title, body, tag }) => [title, body, tag]);
        }"""
    )
    return shown
