"""A new device makes itself known: it makes its key, and spends the code that it was given on it.

The key is on disk before the code is spent. Whatever is lost on the way, the same call with the
same file goes on where it was: the server knows the key again.
"""

from __future__ import annotations

import base64
import json
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Final

from psn.enrolment import device_key, enrolment_code
from psn.enrolment.device_key import Enrolled
from psn.problems import Problem

SECONDS: Final = 30.0
MOST_BYTES: Final = 65_536


class JoinRefused(Problem):
    """Why the device is not enrolled: the server's words, or that there were none."""


def join(server: str, code: str, file: Path, trust: ssl.SSLContext | None = None) -> Enrolled:
    """Enrol at ``server`` (``https://host``) with a code; blocks. The file is the device then.

    ``trust``: which authorities to believe; none: those of the machine. Raises
    :class:`JoinRefused`, :class:`psn.enrolment.enrolment_code.BadCode`,
    :class:`psn.enrolment.device_key.BadKey`.
    """
    canonical = enrolment_code.canonical(code)
    key = _key(file)
    proof = key.sign(device_key.enrolment_content(canonical, key.public))
    answer = _post(
        server.rstrip("/") + "/api/enrol",
        {
            "code": canonical,
            "public_key": base64.b64encode(key.public).decode(),
            "proof": base64.b64encode(proof).decode(),
        },
        trust,
    )
    number = answer.get("device")
    if not isinstance(number, int):
        raise _no_server(server, "its answer is none")
    device_key.write(file, key, number)
    return Enrolled(number, key, file)


def _key(file: Path) -> device_key.DeviceKey:
    """The key of an attempt before, or a new one."""
    if file.exists():
        number, key = device_key.read_key(file)
        if number is not None:
            raise JoinRefused(
                "already_enrolled",
                f"{file} is the key of device {number} already.",
                "Choose another file, or remove it when that device is no more.",
            )
        return key
    key = device_key.new()
    try:
        device_key.write(file, key)
    except OSError as problem:
        raise JoinRefused(
            "not_writable",
            f"The key cannot be kept in {file}: {problem.strerror}.",
            "Name a file in a directory that is there and may be written to.",
        ) from problem
    return key


def _post(url: str, body: dict[str, str], trust: ssl.SSLContext | None) -> dict[str, Any]:
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust)
    )
    try:
        request = urllib.request.Request(
            url, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST"
        )
        with opener.open(request, timeout=SECONDS) as response:
            answer = json.loads(response.read(MOST_BYTES))
    except urllib.error.HTTPError as refused:
        with refused:
            raise _refusal(url, refused) from None
    except (OSError, ValueError) as problem:
        raise _no_server(url, str(getattr(problem, "reason", problem))) from problem
    return answer if isinstance(answer, dict) else {}


def _refusal(url: str, refused: urllib.error.HTTPError) -> JoinRefused:
    if refused.code in (404, 405):  # whoever enrols devices is asked there and so
        return _no_server(url, f"it answers with {refused.code}")
    try:
        told = json.loads(refused.read(MOST_BYTES))["error"]
        return JoinRefused(str(told["code"]), str(told["text"]), str(told["todo"]))
    except (OSError, ValueError, KeyError, TypeError):
        return _no_server(url, f"it answers with {refused.code}")


def _no_server(url: str, why: str) -> JoinRefused:
    return JoinRefused(
        "no_server",
        f"Nobody enrols devices at {url}: {why.rstrip('.')}.",
        "Give the address of the network's server with --server.",
    )
