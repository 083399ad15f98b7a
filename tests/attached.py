"""What people attach, made here: photos, voice notes; and a client that sends them in pieces."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import io
import struct
import time
import zipfile
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import av
from multidict import CIMultiDictProxy
from PIL import Image
from stage import WITHIN, Peer, Stage

TURNED = 0x0112
GPS = 0x8825
SECRET = "Xunantunich"
"""Stands in every place of a file where something can be hidden that is not the picture."""


def photo(format: str = "JPEG", size: tuple[int, int] = (120, 80), **more: Any) -> bytes:
    """A photo that names a place, an author and a camera, lies on its side, and has a thumbnail."""
    exif = Image.Exif()
    exif[TURNED] = 6  # to be turned by a quarter
    exif[0x010F] = SECRET
    exif[GPS] = {1: "N", 2: (17.0, 5.0, 20.0), 3: "W", 4: (89.0, 8.0, 30.0), 29: SECRET}
    said: dict[str, Any] = {"exif": exif}
    if format in ("JPEG", "WEBP"):
        said["xmp"] = f"<x:xmpmeta xmlns:x='adobe:ns:meta/'>{SECRET}</x:xmpmeta>".encode()
    if format == "JPEG":
        said["comment"] = SECRET.encode()
    picture = Image.new("RGB", size, (10, 120, 200))
    picture.paste((250, 250, 0), (0, 0, size[0] // 2, size[1] // 2))
    file = io.BytesIO()
    picture.save(file, format, **(said | more))
    return file.getvalue()


def voice(seconds: float = 1.0, container: str = "webm", codec: str = "libopus") -> bytes:
    """A voice note with a title and a place, as a browser's recorder might write it."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as out:
        out.metadata.update({"title": SECRET, "location": SECRET})
        said: Any = out.add_stream(codec, rate=48_000)
        said.layout = "mono"
        for n in range(max(1, round(seconds * 50))):
            frame = av.AudioFrame("s16", "mono", 960)
            frame.sample_rate, frame.pts = 48_000, n * 960
            tone = b"".join(struct.pack("<h", (i % 100) * 60 - 3_000) for i in range(960))
            frame.planes[0].update(tone.ljust(frame.planes[0].buffer_size, b"\0"))
            out.mux(said.encode(frame))
        out.mux(said.encode(None))
    return file.getvalue()


def vast_png(width: int, height: int) -> bytes:
    """A PNG of some hundred bytes that says to be a vast picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checked = kind + data
        return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(100_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def zip_bomb() -> bytes:
    """Ten megabytes of nothing in ten thousand bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("photo.jpg", bytes(10_000_000))
    return file.getvalue()


HEIC = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAb5tZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAA"
    "AAAAAAAAADRpbG9jAAAAAERAAAIAAQAAAAAB4gABAAAAAAAAABoAAgAAAAAB/AABAAAAAAAAADgAAAA4aWluZgAAAAAA"
    "AgAAABVpbmZlAgAAAAABAABodmMxAAAAABVpbmZlAgAAAQACAABFeGlmAAAAAA5waXRtAAAAAAABAAAA/WlwcnAAAADd"
    "aXBjbwAAAHZodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQAq"
    "QgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq5Ka5uAhoMCAAAAMDIAAAAwAhYgABAAZEAcFzwIkAAAATY29scm5jbHgAAQAN"
    "AAaAAAAAFGlzcGUAAAAAAAAAQAAAAEAAAAAoY2xhcAAAAEAAAAABAAAAMAAAAAEAAAAAAAAAAv////AAAAACAAAAEHBp"
    "eGkAAAAAAwgICAAAABhpcG1hAAAAAAAAAAEAAQWBAgMFhAAAABppcmVmAAAAAAAAAA5jZHNjAAIAAQABAAAAWm1kYXQA"
    "AAAWKAGvGYDvSaW//91S3/kUL/h+taY+bgAAAAZFeGlmAABNTQAqAAAACAACAQ8AAgAAAAcAAAAmARIAAwAAAAEAAQAA"
    "AAAAAFNlY3JldAAA"
)
"""A red picture of 64 × 48 pixels, with the EXIF text ``Secret``: no library here writes HEIC."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: CIMultiDictProxy[str]
    body: bytes
    said: Any

    @property
    def code(self) -> str:
        return str(self.said["error"]["code"])

    @property
    def offset(self) -> int:
        return int(self.headers["Upload-Offset"])


class Sender:
    """Somebody who is signed in and attaches things."""

    def __init__(self, peer: Peer, base: str, http: aiohttp.ClientSession) -> None:
        self.peer = peer
        self.base = base
        self.http = http

    async def ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, data: Any = None
    ) -> Answer:
        always = {"Authorization": f"Bearer {self.peer.me.token}", "Tus-Resumable": "1.0.0"}
        async with self.http.request(
            method, self.base + path, headers=always | (headers or {}), data=data
        ) as answer:
            body = await answer.read()
            plain = answer.content_type == "application/json" and body
            said = await answer.json() if plain else None
            return Answer(answer.status, answer.headers, body, said)

    async def begin(
        self, data: bytes, kind: str = "photo", id: UUID | None = None, **more: str
    ) -> tuple[str, Answer]:
        """Begin an upload; its path, and the answer."""
        id = id or uuid4()
        said = {"id": str(id), "kind": kind, "sha256": hashlib.sha256(data).hexdigest()} | more
        length = said.pop("length", str(len(data)))
        metadata = ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in said.items())
        headers = {"Upload-Length": length, "Upload-Metadata": metadata}
        return f"/api/attachments/{id}", await self.ask("POST", "/api/attachments", headers)

    async def piece(self, path: str, offset: int, data: Any, **more: str) -> Answer:
        """Send a piece."""
        headers = {
            "Content-Type": "application/offset+octet-stream",
            "Upload-Offset": str(offset),
        }
        return await self.ask("PATCH", path, headers | more, data)

    async def offset(self, path: str) -> int:
        """How much the server has."""
        answer = await self.ask("HEAD", path)
        assert answer.status == 200, answer
        return answer.offset

    async def settled(self, path: str) -> dict[str, Any]:
        """The details, once it is judged."""
        deadline = time.monotonic() + WITHIN * 2
        while True:
            answer = await self.ask("GET", path)
            assert answer.status == 200, answer
            if answer.said["state"] not in ("receiving", "checking"):
                return dict(answer.said)
            assert time.monotonic() < deadline, answer.said
            await asyncio.sleep(0.05)

    async def attach(self, data: bytes, kind: str = "photo", **more: str) -> tuple[str, Any]:
        """Send all of it; its path, and the details once it is judged."""
        path, begun = await self.begin(data, kind, **more)
        assert begun.status == 201, begun
        done = await self.piece(path, 0, data)
        assert (done.status, done.offset) == (204, len(data)), done
        return path, await self.settled(path)


@contextlib.asynccontextmanager
async def entered(stage: Stage, who: str | int) -> AsyncIterator[Sender]:
    # What a test has just written to the directory's tables counts: notices of it come later.
    await stage.core.refresh_directory()
    base = stage.url.replace("ws://", "http://").removesuffix("/ws")
    async with aiohttp.ClientSession() as http, await Peer.enter(stage.url, who) as peer:
        yield Sender(peer, base, http)
