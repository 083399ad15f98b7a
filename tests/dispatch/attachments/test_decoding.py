"""The process that makes a new file of what somebody sent (docs/domain.md, DOM-FILE-5)."""

from __future__ import annotations

import io
from pathlib import Path
from uuid import uuid4

import av
import pytest
from attached import GPS, HEIC, SECRET, photo, vast_png, voice, zip_bomb
from PIL import Image

from dispatch.attachments import decoder, decoding
from dispatch.attachments.decoder import DecoderTrouble, Made, decode, outcome
from dispatch.attachments.files import MADE, SMALL, Files
from dispatch.attachments.kinds import Refusal


class Bench:
    """Decodes bytes as the server does."""

    def __init__(self, place: Path) -> None:
        self.files = Files(place)
        self.id = uuid4()

    async def decode(self, data: bytes, kind: str = "photo", seconds: int = 10) -> Made | Refusal:
        self.files.path(self.id).parent.mkdir(parents=True, exist_ok=True)
        self.files.path(self.id, ".part").write_bytes(data)
        return await decode(self.files, self.id, kind, seconds)

    def made(self, ending: str = MADE) -> bytes:
        return self.files.path(self.id, ending).read_bytes()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
async def test_a_photo_goes_on_without_where_by_whom_and_with_what(
    bench: Bench, format: str
) -> None:
    sent = photo(format)
    assert Image.open(io.BytesIO(sent)).getexif().get_ifd(GPS), "there is something to lose"
    assert SECRET.encode() in sent
    said = await bench.decode(sent)
    assert isinstance(said, Made) and said.preview
    for ending in (MADE, SMALL):
        made = bench.made(ending)
        assert SECRET.encode() not in made
        with Image.open(io.BytesIO(made)) as picture:
            assert (picture.format, picture.size) == ("JPEG", (80, 120)), "upright"
            assert dict(picture.getexif()) == {} and not picture.getexif().get_ifd(GPS)
            assert set(picture.info) == {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
            # The yellow quarter was at the top left, and is at the top right after turning.
            red, _, blue = picture.convert("RGB").getpixel((70, 10))
            assert red > 200 and blue < 80


async def test_a_photo_of_an_iphone(bench: Bench) -> None:
    assert b"Secret" in HEIC
    said = await bench.decode(HEIC)
    assert isinstance(said, Made) and (said.width, said.height) == (64, 48)
    assert b"Secret" not in bench.made()


async def test_a_large_photo_is_made_smaller_and_what_is_seen_through_is_white(
    bench: Bench,
) -> None:
    file = io.BytesIO()
    Image.new("RGBA", (5_000, 2_500), (0, 0, 0, 0)).save(file, "PNG")
    said = await bench.decode(file.getvalue())
    assert isinstance(said, Made) and (said.width, said.height) == (4_096, 2_048)
    with Image.open(io.BytesIO(bench.made(SMALL))) as small:
        assert small.size == (320, 160) and small.getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (vast_png(50_000, 50_000), "too_many_pixels"),
        (vast_png(9_000, 8_000), "too_many_pixels"),
        (vast_png(2**31 - 1, 2**31 - 1), "too_many_pixels"),
        (vast_png(0, 0), "unreadable"),
        (photo()[:400], "unreadable"),
        (b"", "unreadable"),
        (zip_bomb(), "unreadable"),
        (b"\xff\xd8\xff" + bytes(1_000), "unreadable"),
        (HEIC[:300], "unreadable"),
        (b"<svg/>", "unreadable"),
    ],
)
async def test_a_photo_that_is_none_is_refused(bench: Bench, data: bytes, code: str) -> None:
    said = await bench.decode(data)
    assert isinstance(said, Refusal) and said.code == code, said
    assert said.text.endswith(".")


@pytest.mark.parametrize("container", ["webm", "ogg"])
async def test_a_voice_note_goes_on_as_sound_alone(bench: Bench, container: str) -> None:
    sent = voice(2.0, container)
    assert SECRET.encode() in sent
    said = await bench.decode(sent, "voice")
    assert isinstance(said, Made) and said.seconds == pytest.approx(2.0, abs=0.1)
    assert SECRET.encode() not in bench.made()
    with av.open(io.BytesIO(bench.made())) as heard:
        assert heard.format.name == "ogg"
        (stream,) = heard.streams
        assert stream.type == "audio" and stream.codec_context.name in ("opus", "libopus")
        assert {**heard.metadata, **stream.metadata}.keys() <= {"encoder"}
        samples = sum(frame.samples for frame in heard.decode(audio=0))
        assert samples == pytest.approx(96_000, rel=0.05)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (voice(3.0), "too_long"),
        (voice(0.5, "ogg", "flac"), "not_voice"),
        (voice(0.5)[:80], "unreadable"),
        (b"OggS" + bytes(500), "unreadable"),
        (b"\x1a\x45\xdf\xa3" + bytes(500), "unreadable"),
        (photo(), "unreadable"),
        (b"", "unreadable"),
    ],
)
async def test_a_voice_note_that_is_none_is_refused(bench: Bench, data: bytes, code: str) -> None:
    said = await bench.decode(data, "voice", 2)
    assert isinstance(said, Refusal) and said.code == code, said


async def test_a_text_is_text(bench: Bench) -> None:
    said = await bench.decode("\ufeffe\u0301t\u00e9\n".encode(), "document")
    assert isinstance(said, Made)
    assert bench.made().decode() == "été\n"
    for data in (b"a\0b", b"\x1b[2J", "\x9b2J".encode(), b"\xff\xfe"):
        said = await bench.decode(data, "document")
        assert isinstance(said, Refusal) and said.code == "not_text"


async def test_a_decoder_that_takes_too_long_is_killed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoder, "DECODE_SECONDS", 0.0)
    said = await bench.decode(photo())
    assert isinstance(said, Refusal) and said.code == "too_much"


CONFINED = """
import importlib.util, os, resource, socket, sys
spec = importlib.util.spec_from_file_location("decoding", sys.argv[1])
decoding = importlib.util.module_from_spec(spec)
spec.loader.exec_module(decoding)
decoding.confine()
def refused(work):
    try:
        work()
    except (OSError, MemoryError) as problem:
        return type(problem).__name__
    return "allowed"
print(refused(lambda: open("/etc/passwd")))
print(refused(lambda: socket.socket()))
print(refused(lambda: os.pipe()))
print(refused(lambda: bytearray(decoding.MEMORY_BYTES)))
print(resource.getrlimit(resource.RLIMIT_CPU)[1] == decoding.CPU_SECONDS)
print(sorted(os.environ))
"""


async def test_who_decodes_can_open_nothing_and_has_little(tmp_path: Path) -> None:
    """A hostile file that takes over its decoder finds an empty room."""
    import asyncio
    import sys

    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-c", CONFINED, str(decoder.PROGRAM)),
        stdout=asyncio.subprocess.PIPE,
        env={"LC_ALL": "C.UTF-8"},
    )
    out, _ = await process.communicate()
    assert out.decode().split("\n")[:6] == [
        "OSError",
        "OSError",
        "OSError",
        "MemoryError",
        "True",
        "['LC_ALL']",
    ]


def test_the_program_imports_nothing_of_ours() -> None:
    source = Path(decoding.__file__).read_text(encoding="utf-8")
    assert "import psn" not in source and "from psn" not in source
    assert "import dispatch" not in source and "from dispatch" not in source


@pytest.mark.parametrize(
    ("status", "told", "code"),
    [
        (None, b"", "too_much"),
        (-9, b"", "too_much"),
        (-24, b"", "too_much"),
        (-11, b"", "unreadable"),
        (-6, b"{}", "unreadable"),
        (1, b'{"code": "x", "text": "No."}', "x"),
    ],
)
def test_what_an_end_means(status: int | None, told: bytes, code: str) -> None:
    said = outcome(status, told)
    assert isinstance(said, Refusal) and said.code == code


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (1, b""),
        (2, b"usage"),
        (75, b'{"code": "disk", "text": "No space left on device"}'),
        (1, b'{"code": 7, "text": "No."}'),
        (1, b"[]"),
        (0, b'{"width": "wide"}'),
        (0, b'{"width": -3}'),
        (0, b'{"seconds": NaN}'),
    ],
)
def test_an_end_that_is_not_the_files_fault_says_nothing_of_it(status: int, told: bytes) -> None:
    with pytest.raises(DecoderTrouble):
        outcome(status, told)
