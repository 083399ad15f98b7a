"""A real rsyslogd as an unprivileged process, and a small reader of RFC 5424 of our own."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trustme

PROGRAM = shutil.which("rsyslogd", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
HAS_TLS = any(Path("/usr/lib").glob("**/rsyslog/lmnsd_ossl.so"))
NOBODY = 65_534

_CONFIGURATION = """
global(workDirectory="{place}" maxMessageSize="8k" net.enableDNS="off" {certificates})
module(load="imtcp" {tls})
module(load="mmpstrucdata")
input(type="imtcp" address="127.0.0.1" port="{port}" listenPortFileName="{place}/port"
      ruleset="keep")
template(name="json" type="list" option.jsonf="on") {{
    property(outname="pri" name="pri" format="jsonf")
    property(outname="time" name="timereported" dateFormat="rfc3339" format="jsonf")
    property(outname="host" name="hostname" format="jsonf")
    property(outname="app" name="app-name" format="jsonf")
    property(outname="process" name="procid" format="jsonf")
    property(outname="id" name="msgid" format="jsonf")
    property(outname="data" name="$!rfc5424-sd" format="jsonf")
    property(outname="text" name="msg" format="jsonf")
}}
ruleset(name="keep") {{
    action(type="mmpstrucdata" sd_name.lowercase="off")
    action(type="omfile" file="{place}/out" template="json")
}}
"""


@dataclass(frozen=True)
class Certificates:
    """An authority, and what it has signed for the daemon and for us."""

    authority: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path

    @classmethod
    def issued(cls, place: Path, host: str = "localhost") -> Certificates:
        made = trustme.CA()
        files = [place / f"{name}.pem" for name in ("ca", "server", "server-key", "us", "us-key")]
        server, client = made.issue_cert(host), made.issue_cert("psn.example")
        made.cert_pem.write_to_path(files[0])
        server.cert_chain_pems[0].write_to_path(files[1])
        server.private_key_pem.write_to_path(files[2])
        client.cert_chain_pems[0].write_to_path(files[3])
        client.private_key_pem.write_to_path(files[4])
        for file in files:
            file.chmod(0o644)
        return cls(*files)


@dataclass
class Rsyslog:
    """One daemon; what it has parsed is read back from its file."""

    place: Path
    certificates: Certificates | None = None
    wants_certificate: bool = False
    port: int = 0
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    async def start(self) -> None:
        """Start on any free port, or on the one it had before."""
        assert PROGRAM is not None
        for left in ("port", "pid"):  # of one that was killed
            (self.place / left).unlink(missing_ok=True)
        configuration = self.place / "conf"
        configuration.write_text(self._configuration())
        command = [PROGRAM, "-n", "-f", str(configuration), "-i", str(self.place / "pid")]
        user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        log = (self.place / "log").open("ab")
        with log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, **user)
        deadline = time.monotonic() + 20
        while not await self._listens():
            assert self._process.poll() is None, (self.place / "log").read_text()
            assert time.monotonic() < deadline, (self.place / "log").read_text()
            await asyncio.sleep(0.02)

    async def _listens(self) -> bool:
        file = self.place / "port"
        if not self.port:  # it writes down which it took
            self.port = int(file.read_text() or 0) if file.exists() else 0
            return self.port != 0
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        return True

    def _configuration(self) -> str:
        certificates = tls = ""
        if self.certificates is not None:
            given = self.certificates
            certificates = (
                f'defaultNetstreamDriverCAFile="{given.authority}"'
                f' defaultNetstreamDriverCertFile="{given.server}"'
                f' defaultNetstreamDriverKeyFile="{given.server_key}"'
            )
            mode = "x509/certvalid" if self.wants_certificate else "anon"
            tls = f'StreamDriver.Name="ossl" StreamDriver.Mode="1" StreamDriver.AuthMode="{mode}"'
        return _CONFIGURATION.format(
            place=self.place, port=self.port, certificates=certificates, tls=tls
        )

    async def end(self, sign: signal.Signals = signal.SIGTERM) -> None:
        """End it: SIGKILL leaves it no time to write down what it has read."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(sign)
            await asyncio.to_thread(process.wait, 20)

    def read(self) -> list[dict[str, Any]]:
        """Every message that was parsed so far, with the fields of ours in ``psn``."""
        try:
            lines = (self.place / "out").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        found = []
        for line in lines:
            try:
                said = json.loads(line)
            except ValueError:  # it is being written
                break
            data = json.loads(said.pop("data"))
            found.append(said | {"psn": next(iter(data.values()))})
        return found

    def numbers(self) -> list[int]:
        """The entries of the audit that came, in the order in which they came."""
        return [int(said["psn"]["seq"]) for said in self.read()]


def place_for_nobody() -> Path:
    """A directory that the daemon's user may write; pytest's own he may not enter."""
    if PROGRAM is None:
        pytest.skip("no rsyslogd; install the package rsyslog")
    place = Path(tempfile.mkdtemp(prefix="psn-syslog-"))
    if os.geteuid() == 0:
        os.chown(place, NOBODY, NOBODY)
    place.chmod(0o755)
    return place


# -- a reader that shares no line with the writer


@dataclass(frozen=True)
class Message:
    """What RFC 5424's grammar (§6) finds in a message."""

    priority: int
    time: str
    host: str
    app: str
    process: str
    id: str
    data: dict[str, dict[str, str]]
    text: str


def unframe(stream: bytes) -> list[bytes]:
    """The messages of a stream that counts octets."""
    found = []
    while stream:
        count, _, rest = stream.partition(b" ")
        assert count.isdigit() and not count.startswith(b"0") and len(rest) >= int(count)
        found.append(rest[: int(count)])
        stream = rest[int(count) :]
    return found


_HEADER = re.compile(
    rb"<(\d{1,3})>1 (-|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z)"
    rb" ([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) "
)
_ELEMENT = re.compile(
    rb"\[([!#-<>-\\^-~]{1,32})((?: [!#-<>-\\^-~]{1,32}=\"(?:[^\"\\\]]|\\.)*\")*)\]"
)
_PARAMETER = re.compile(rb" ([!#-<>-\\^-~]{1,32})=\"((?:[^\"\\\]]|\\.)*)\"", re.DOTALL)


def parse(message: bytes) -> Message:
    """Read one message, or fail."""
    header = _HEADER.match(message)
    assert header is not None, message[:200]
    element = _ELEMENT.match(message, header.end())
    assert element is not None, message
    values = {
        name.decode(): re.sub(rb'\\(["\\\]])', rb"\1", value).decode()
        for name, value in _PARAMETER.findall(element[2])
    }
    rest = message[element.end() :]
    assert rest.startswith(b" \xef\xbb\xbf"), rest[:20]
    words = [word.decode() for word in header.groups()[1:]]
    return Message(int(header[1]), *words, {element[1].decode(): values}, rest[4:].decode())
