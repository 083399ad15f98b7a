"""docs/wire.md is true: read with the plain `msgpack` library, and with ours."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any, get_args

import msgpack
import pytest

from psn import wire
from psn.enrolment import device_key

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "wire.md").read_text(encoding="utf-8")
EXAMPLE = re.compile(
    r"^#### (?P<name>\w+)\n\n[^\n]+\n\n"
    r"```json\n(?P<json>.+?)\n```\n```hex\n(?P<hex>[0-9a-f\n]+?)```",
    re.MULTILINE,
)
EXAMPLES = [(m["name"], m["json"], bytes.fromhex(m["hex"])) for m in EXAMPLE.finditer(DOCUMENT)]


def _tag(frame: type) -> str:
    return str(frame.__struct_config__.tag)  # type: ignore[attr-defined]


def as_json(value: Any) -> Any:
    """What MessagePack carries as JSON does: bytes in base64."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {name: as_json(inner) for name, inner in value.items()}
    return [as_json(inner) for inner in value] if isinstance(value, list) else value


def told(frame: Any, codec: wire.Codec) -> Any:
    """A frame with what it carries unread, read."""
    if not isinstance(frame, wire.Do):
        return frame
    return frame.id, frame.what, codec.decode_part(frame.with_, dict)


CLIENT = {_tag(frame) for frame in get_args(wire.ClientFrame)}
SERVER = {_tag(frame) for frame in get_args(wire.ServerFrame)}


def test_every_frame_has_an_example_and_every_example_is_a_frame() -> None:
    assert {name for name, _, _ in EXAMPLES} == CLIENT | SERVER
    assert len(EXAMPLES) == DOCUMENT.count("```hex")


@pytest.mark.parametrize(("name", "text", "data"), EXAMPLES)
def test_an_example_is_the_same_in_both_forms(name: str, text: str, data: bytes) -> None:
    plain: Any = msgpack.unpackb(data, strict_map_key=True)
    assert as_json(plain) == json.loads(text)
    assert plain["t"] == name


@pytest.mark.parametrize(("name", "text", "data"), EXAMPLES)
def test_our_codec_reads_and_writes_an_example(name: str, text: str, data: bytes) -> None:
    decode = "decode_client" if name in CLIENT else "decode_server"
    frame = getattr(wire.MSGPACK, decode)(data)
    other = getattr(wire.JSON, decode)(text)
    assert told(other, wire.JSON) == told(frame, wire.MSGPACK)
    assert wire.MSGPACK.encode(frame) == data
    assert json.loads(wire.JSON.encode(other)) == json.loads(text)


RAISED = re.compile(
    r"\b(?:super\(\).__init__|Problem|Refused|PositionRefused|SignInRefused|RecordRefused|FrameRefused|Malformed)\(\s*"
    r"\"(?P<code>[a-z_]+)\""
)
NAMED = re.compile(r"\(\"(?P<code>[a-z_]+)\", \"[A-Z][^\"]+\.\"\)")
SAYING = (
    "announcing",
    "core",
    "connection",
    "door",
    "identity/locking",
    "record/log",
    "record/mailboxes",
    "identity/people",
    "identity/signin",
    "picture/tracking",
    "wire/codec",
    "topics",
    "voice/exchange",
    "voice/passing",
    "voice/ringing",
    "radio/radios",
    "voice/patches",
)


def test_the_table_of_errors_holds_every_code_that_the_server_says() -> None:
    source = "".join((ROOT / "psn" / f"{room}.py").read_text() for room in SAYING)
    said = {m["code"] for m in RAISED.finditer(source)}
    said |= {m["code"] for m in NAMED.finditer(source)}
    table = DOCUMENT.split("## Errors")[1].split("| close code")[0]
    told = set(re.findall(r"^\| `([a-z_]+)`", table, re.MULTILINE))
    assert said == told


def test_the_close_codes_are_those_of_the_document() -> None:
    told = {int(code) for code in re.findall(r"^\| (\d{4}) \|", DOCUMENT, re.MULTILINE)}
    ours = {value for name, value in vars(wire.CloseCode).items() if name.isupper()}
    # 1009 is said by the WebSocket library (RFC 6455 §7.4.1: message too big).
    assert told == ours | {1009}


def test_the_limits_are_those_of_the_document() -> None:
    assert f"{wire.MAX_FRAME_BYTES:,} bytes" in DOCUMENT
    assert f"{wire.MAX_TEXT_CHARACTERS:,} characters" in DOCUMENT
    assert f"{wire.MAX_BATCH:,} a frame" in DOCUMENT


def test_the_example_of_a_signature_is_one() -> None:
    (public,) = re.findall(r"^    (MFkw[A-Za-z0-9+/=]+)$", DOCUMENT, re.MULTILINE)
    frames = [wire.MSGPACK.decode_server(data) for name, _, data in EXAMPLES if name == "welcome"]
    sign_ins = [wire.MSGPACK.decode_client(data) for name, _, data in EXAMPLES if name == "sign_in"]
    (welcome,) = frames
    (auth,) = (
        frame.auth
        for frame in sign_ins
        if isinstance(frame, wire.SignIn) and isinstance(frame.auth, wire.DeviceAuth)
    )
    assert isinstance(welcome, wire.Welcome)
    content = device_key.sign_in_content(auth.device, welcome.nonce)
    assert len(content) == 61
    assert device_key.verifies(base64.b64decode(public), auth.signature, content)


def test_the_api_says_what_the_document_says_of_enrolling() -> None:
    table = DOCUMENT.split("| status, code |")[1].split("\n\n")[0]
    told = set(re.findall(r"`([a-z_]+)`", table))
    rooms = ("psn/enrolment/devices.py", "dispatch/api.py", "dispatch/asking.py")
    source = "".join((ROOT / part).read_text() for part in rooms)
    assert told <= set(re.findall(r"\"([a-z_]+)\"", source)) | {"bad_key"}
    assert {"wrong_code", "bad_key", "too_fast", "unavailable"} <= told
