"""A program: makes a new file of what can be seen, heard or read in one that somebody sent.

It runs as a short-lived process of its own (``dispatch.attachments.checking`` starts it), since
decoders are where hostile files do harm. It imports nothing of ours, gets no settings and no
environment, and before it looks at the first byte it gives away memory, time and the right to open
anything: no file, no connection, no process. What it may use, it was handed as open files:

    decoding.py KIND SECONDS PREVIEW TOLD < sent > made

PREVIEW and TOLD are numbers of open files; into the last it writes JSON: what it made (``width``,
``height``, ``seconds``, ``preview``), or why not (``code``, ``text``). Nothing of the sent file is
copied: pictures are painted and sound is encoded anew, so that places, names, thumbnails and
whatever was hidden stay behind.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import resource
import sys
import unicodedata
import warnings
from io import BytesIO
from typing import Any, BinaryIO

MEMORY_BYTES = 1_536 << 20
CPU_SECONDS = 30
MOST_MADE_BYTES = 64 << 20
MOST_PIXELS = 64_000_000
"""Of a photo; 16 bytes each are needed at worst. Cameras of tablets have up to 50 million."""
LARGEST_SIDE, PREVIEW_SIDE = 4_096, 320
QUALITY, PREVIEW_QUALITY = 88, 75
BIT_RATE = 32_000
"""Of speech in one channel: wideband and better (RFC 7587 §3.1.1)."""
TEMPORARY = 75
"""Exit status when it was not the file's fault (EX_TEMPFAIL)."""
_NO_NEW_PRIVILEGES = 38  # prctl(2)


class Refused(Exception):
    """The file cannot be taken: a stable code and one plain sentence."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


def confine() -> None:
    """Give away what a decoder does not need. What has to be imported is there by now."""
    os.nice(10)
    for limit, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, MOST_MADE_BYTES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 0),  # what is open stays so
    ):
        resource.setrlimit(limit, (most, most))
    ctypes.CDLL(None).prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)


# -- photos


def photo(sent: BinaryIO, made: BinaryIO, preview: BinaryIO) -> dict[str, Any]:
    """An upright JPEG of the picture, and a small one; nothing else of the file."""
    from PIL import Image, ImageOps

    try:
        with Image.open(sent, formats=("JPEG", "PNG", "WEBP", "HEIF")) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise Image.DecompressionBombError
            opened.draft("RGB", (LARGEST_SIDE, LARGEST_SIDE))  # a large JPEG is read smaller
            opened.load()
            picture = _upright(opened, ImageOps)
            picture.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
            picture = _plain(picture, opened.info.get("icc_profile"), Image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        text = f"This photo has more than {MOST_PIXELS // 1_000_000} million pixels."
        raise Refused("too_many_pixels", text) from None
    except MemoryError:
        raise
    except Exception:
        raise Refused("unreadable", "This photo is broken or cut off.") from None
    picture.save(made, "JPEG", quality=QUALITY, optimize=True)
    width, height = picture.size
    picture.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
    picture.save(preview, "JPEG", quality=PREVIEW_QUALITY)
    return {"width": width, "height": height, "preview": True}


def _upright(picture: Any, operations: Any) -> Any:
    """Turned as its EXIF says (tag 0x0112); as it is where that cannot be read."""
    try:
        return operations.exif_transpose(picture)
    except Exception:
        return picture.copy()


def _plain(picture: Any, profile: bytes | None, image: Any) -> Any:
    """In the colours of sRGB, on white where it was transparent, without anything beside it."""
    if profile and picture.mode == "RGB":
        from PIL import ImageCms

        # Colours a little off are better than no photo.
        with contextlib.suppress(ImageCms.PyCMSError, OSError, ValueError):
            picture = ImageCms.profileToProfile(
                picture, ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB")
            )
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        ground = image.new("RGBA", picture.size, "white")
        picture = image.alpha_composite(ground, picture)
    bare = image.new("RGB", picture.size)
    bare.paste(picture.convert("RGB"))
    return bare


# -- voice notes


def voice(sent: BinaryIO, made: BinaryIO, most_seconds: int) -> dict[str, Any]:
    """The sound in one channel of Opus in Ogg (RFC 7845); no title, place or cover."""
    import av

    samples = 0
    container = "ogg" if sent.read(4) == b"OggS" else "matroska"
    sent.seek(0)
    try:
        with (
            av.open(sent, "r", format=container) as opened,
            av.open(made, "w", format="ogg") as out,
        ):
            if [stream.type for stream in opened.streams] != ["audio"]:
                raise Refused("not_voice", "This file holds more than a voice, or none.")
            heard = opened.streams.audio[0]
            if heard.codec_context.name not in ("opus", "libopus"):
                raise Refused("not_voice", "This voice note is not Opus.")
            said: Any = out.add_stream("libopus", rate=48_000, options=_SPEECH)
            said.bit_rate = BIT_RATE
            said.layout = "mono"
            as_wanted = av.AudioResampler(format="s16", layout="mono", rate=48_000)
            for frame in opened.decode(heard):
                for piece in as_wanted.resample(frame):
                    samples += piece.samples
                    if samples > most_seconds * 48_000:
                        text = f"This voice note is longer than {most_seconds} seconds."
                        raise Refused("too_long", text)
                    piece.pts = None
                    out.mux(said.encode(piece))
            out.mux(said.encode(None))
    except (Refused, MemoryError):
        raise
    except Exception as problem:
        # What the decoder says is an OSError as well, for what it finds in the file.
        if isinstance(problem, OSError) and not isinstance(problem, av.FFmpegError):
            raise
        raise Refused("unreadable", "This voice note is broken.") from None
    if not samples:
        raise Refused("not_voice", "There is nothing to hear in this voice note.")
    return {"seconds": round(samples / 48_000, 1)}


_SPEECH = {"application": "voip", "vbr": "constrained", "compression_level": "5"}


# -- documents


def document(sent: BinaryIO, made: BinaryIO) -> dict[str, Any]:
    """The text, in UTF-8 and Unicode's form C; refused when anything in it is no text."""
    try:
        text = sent.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refused("not_text", "This is not a text in UTF-8.") from None
    if any(unicodedata.category(letter) == "Cc" and letter not in "\t\r\n" for letter in text):
        raise Refused("not_text", "This text has signs in it that are no text.")
    made.write(unicodedata.normalize("NFC", text).encode())
    made.flush()
    return {}


# -- the program


def _prepare(kind: str) -> None:
    """Load what will be needed: all is done once with something of our own.

    Libraries load parts of themselves late, and afterwards nothing can be opened.
    """
    if kind == "photo":
        import pi_heif
        from PIL import Image

        pi_heif.register_heif_opener(thumbnails=False)
        Image.MAX_IMAGE_PIXELS = MOST_PIXELS
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        for format in ("PNG", "WEBP", "JPEG"):
            sample = BytesIO()
            exif = Image.Exif()
            exif[0x0112] = 6
            Image.new("RGBA" if format != "JPEG" else "RGB", (8, 8)).save(
                sample, format, exif=exif, icc_profile=_srgb()
            )
            photo(sample, BytesIO(), BytesIO())
    elif kind == "voice":
        voice(BytesIO(_silence("ogg")), BytesIO(), 1)
        voice(BytesIO(_silence("webm")), BytesIO(), 1)
    else:
        document(BytesIO(b"a"), BytesIO())


def _srgb() -> bytes:
    from PIL import ImageCms

    return bytes(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())


def _silence(container: str) -> bytes:
    import av

    file = BytesIO()
    with av.open(file, "w", format=container) as out:
        said: Any = out.add_stream("libopus", rate=48_000)
        said.layout = "mono"
        frame = av.AudioFrame("s16", "mono", 960)
        frame.sample_rate = 48_000
        frame.planes[0].update(bytes(frame.planes[0].buffer_size))
        out.mux(said.encode(frame))
        out.mux(said.encode(None))
    return file.getvalue()


def main(kind: str, most_seconds: int, preview: int, told: int) -> int:
    """Read standard input, write standard output, tell; the exit status: 0, 1 or 75."""
    _prepare(kind)
    sent, made, small = os.fdopen(0, "rb"), os.fdopen(1, "wb"), os.fdopen(preview, "wb")
    confine()
    status = 0
    try:
        if kind == "photo":
            result = photo(sent, made, small)
        elif kind == "voice":
            result = voice(sent, made, most_seconds)
        else:
            result = document(sent, made)
        for file in (made, small):
            file.flush()
    except Refused as problem:
        result, status = {"code": problem.code, "text": problem.text}, 1
    except MemoryError:
        result, status = {"code": "too_much", "text": "This file takes too much memory."}, 1
    except OSError as problem:
        result, status = {"code": "disk", "text": str(problem)}, TEMPORARY
        if problem.errno == errno.EFBIG:
            result, status = {"code": "too_much", "text": "This file becomes too large."}, 1
    os.write(told, json.dumps(result).encode())
    return status


if __name__ == "__main__":
    # Without waiting for what libraries would tidy up.
    os._exit(main(sys.argv[1], *map(int, sys.argv[2:5])))
