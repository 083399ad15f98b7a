"""The web pages: files that were built beforehand, sent with strict headers."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from psn.settings import Settings

BUILT: Final = Path(__file__).parent / "web" / "dist"

OWN_MAP: Final = "/map.pmtiles"

# MapLibre makes its styles and workers at run time; scripts come from files only.
_POLICY: Final = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'wasm-unsafe-eval'",  # compiles WebAssembly (Opus); still no eval
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",  # a voice note is heard before it is sent
        "worker-src 'self' blob:",
        "connect-src 'self' {map}",  # 'self' covers the WebSocket (CSP level 3, §6.7.2.8)
        "font-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(self), microphone=(self)",
}
_STRICT_TRANSPORT: Final = "max-age=31536000; includeSubDomains"
"""A browser that was here over TLS comes back, also to names below, over TLS alone (RFC 6797)."""
_KINDS: Final = {
    ".mjs": "text/javascript; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".geojson": "application/geo+json",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml; charset=utf-8",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".pmtiles": "application/vnd.pmtiles",
}

_NOT_BUILT: Final = (
    "<!doctype html><meta charset=utf-8><title>Not built</title>"
    "<p>The pages have not been built yet. Run <code>./run web</code> and reload."
)


def map_address(settings: Settings) -> str | None:
    """Where the pages find the operator's own map: served here from a file, or elsewhere."""
    if settings.pmtiles is None:
        return None
    return settings.pmtiles if "://" in settings.pmtiles else OWN_MAP


def headers(settings: Settings) -> dict[str, str]:
    """The security headers of every answer."""
    elsewhere = map_address(settings) or ""
    origin = "" if elsewhere.startswith("/") else "/".join(elsewhere.split("/")[:3])
    return {"Content-Security-Policy": _POLICY.format(map=origin).replace(" ;", ";"), **HEADERS}


def secure(settings: Settings) -> Middleware:
    """A middleware that puts the security headers on everything that is not a WebSocket."""
    always = headers(settings)

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        response: web.StreamResponse
        wanted = dict(always)
        if request.secure and request.url.host != "localhost":
            wanted["Strict-Transport-Security"] = _STRICT_TRANSPORT
        try:
            response = await handler(request)
        except web.HTTPException as refusal:
            for name, value in wanted.items():
                refusal.headers.setdefault(name, value)
            raise
        if not response.prepared:
            for name, value in wanted.items():
                response.headers.setdefault(name, value)
        return response

    return middleware


def add_routes(application: web.Application, settings: Settings, built: Path = BUILT) -> None:
    """Serve ``/``, ``/admin``, ``/numbers``, ``/warnings``; ``/field`` (tablets), ``/call`` (form).

    Everything else that was built is served beside them.
    """
    application.middlewares.append(secure(settings))
    built = built.resolve()

    def page(name: str) -> Handler:
        async def answer(request: web.Request) -> web.StreamResponse:
            if not (built / name).is_file():
                return web.Response(text=_NOT_BUILT, content_type="text/html", status=503)
            return _file(built / name, "no-cache")

        return answer

    async def asset(request: web.Request) -> web.StreamResponse:
        wanted = _file_within(built, request.match_info["path"])
        if wanted is None:
            return web.Response(text="There is no such page.\n", status=404)
        hashed = wanted.parent.name == "assets"
        return _file(wanted, "public, max-age=31536000, immutable" if hashed else "no-cache")

    application.router.add_get("/", page("index.html"))
    application.router.add_get("/admin", page("admin.html"))
    application.router.add_get("/numbers", page("numbers.html"))
    application.router.add_get("/warnings", page("warnings.html"))
    application.router.add_get("/field", page("field.html"))
    application.router.add_get("/call", page("call.html"))
    # Where agencies' providers send browsers back to (psn.identity.federation.RETURN_PATH).
    application.router.add_get("/sign-in/{agency}", page("sign-in.html"))
    if map_address(settings) == OWN_MAP:
        tiles = Path(settings.pmtiles or "")

        async def own_map(request: web.Request) -> web.StreamResponse:
            return _file(tiles, "no-cache")

        application.router.add_get(OWN_MAP, own_map)
    application.router.add_get("/{path:.+}", asset)


def _file_within(built: Path, name: str) -> Path | None:
    """The file of that name if it is there, and is not somewhere else."""
    try:
        wanted = (built / name).resolve()
        return wanted if wanted.is_relative_to(built) and wanted.is_file() else None
    except (ValueError, OSError):  # no file can have that name: a NUL, or too long
        return None


def _file(path: Path, cache: str) -> web.FileResponse:
    response = web.FileResponse(path)
    response.headers["Cache-Control"] = cache
    response.headers["Content-Type"] = _KINDS.get(path.suffix, "application/octet-stream")
    return response
