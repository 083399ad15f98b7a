"""Serves what the public reads (``dispatch.warnings.public``) from memory, to anybody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from aiohttp import web
from cryptography import x509

from dispatch.alerting.issuing import NEMO
from dispatch.warnings import public
from dispatch.warnings.public import Elsewhere, File
from dispatch.warnings.told import Now

FRESH_SECONDS: Final = 5
"""So long a cache may answer by itself; then it asks, and is told 304 while nothing has changed."""
FOR_EVER: Final = "public, max-age=86400, immutable"
"""An alert that was sent is never changed."""

_ANYBODY: Final[dict[str, str]] = {
    # Anybody may read it, also a page of another place.
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Content-Security-Policy": public.POLICY,
    "X-Content-Type-Options": "nosniff",
}


class PublicPages:
    """The files, made anew whenever something is sent or over."""

    def __init__(self, certificate: x509.Certificate | None) -> None:
        """``certificate``: with which alerts are signed."""
        self.certificate = certificate
        self._files: Mapping[str, File] | None = None
        """None: it is not known yet what is in force."""

    async def show(self, now: Now) -> None:
        """Make them (:data:`dispatch.warnings.told.Shows`)."""
        self.make(now)

    def make(self, now: Now, elsewhere: Elsewhere | None = None) -> None:
        """Make them; ``elsewhere``: nobody may renew them any more."""
        self._files = public.files(now, NEMO, self.certificate, elsewhere)

    def add_routes(self, application: web.Application) -> None:
        """Serve ``/alerts``, ``/alerts.atom``, ``/alerts/NAME``."""
        application.router.add_get("/alerts.atom", self._feed)
        application.router.add_get("/alerts", self._moved)
        application.router.add_get("/alerts/{name:[a-z0-9.]*}", self._file)

    async def _feed(self, request: web.Request) -> web.Response:
        return self._answer(request, public.FEED)

    async def _moved(self, request: web.Request) -> web.Response:
        # The page's links are relative, so that it serves from any host: it is a folder.
        return web.Response(
            status=308, headers={"Location": "/alerts/", "Cache-Control": "public, max-age=86400"}
        )

    async def _file(self, request: web.Request) -> web.Response:
        return self._answer(request, f"alerts/{request.match_info['name'] or 'index.html'}")

    def _answer(self, request: web.Request, path: str) -> web.Response:
        if self._files is None:
            return web.Response(
                status=503,
                body=public.unknown(NEMO),
                headers=_ANYBODY
                | {
                    "Content-Type": "text/html; charset=utf-8",
                    "Cache-Control": "no-store",
                    "Retry-After": str(FRESH_SECONDS),
                },
            )
        found = self._files.get(path)
        if found is None:
            return web.Response(
                status=404,
                text="There is no such alert here.\n",
                headers={"Cache-Control": f"public, max-age={FRESH_SECONDS}"},
            )
        headers = _ANYBODY | {
            "ETag": found.etag,
            "Cache-Control": FOR_EVER
            if found.media == public.CAP_MEDIA
            else f"public, max-age={FRESH_SECONDS}",
        }
        if found.etag in request.headers.get("If-None-Match", ""):
            return web.Response(status=304, headers=headers)
        headers["Content-Type"] = f"{found.media}; charset=utf-8"
        return web.Response(body=found.body, headers=headers)
