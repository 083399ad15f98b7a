"""``psn say``: a file is heard on the radio."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Final, get_args

import click

from psn import wire
from psn.client import Client, sound
from psn.enrolment import device_key
from psn.enrolment.device_key import Enrolled
from psn.problems import Problem
from psn.wire import VoiceGroup

URL: Final = "http://127.0.0.1:8080"
ANSWER_SECONDS: Final = 15.0
"""So long a server has to let somebody in."""
LONGEST_SECONDS: Final = 60
"""Nobody talks longer at once (docs/domain.md, DOM-VOI-5)."""


@click.command(
    short_help="A file is heard on the radio.",
    epilog="""
\b
Examples:
  psn say group:2 evacuate.wav --as bpd.ana --alert
  pass show ana | psn say incident:12 storm.ogg --as bpd.ana --password-stdin
  psn say group:2 test.wav --key tablet.pem
""",
)
@click.argument("group", metavar="GROUP")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--as", "name", metavar="NAME", help="The person who says it; asks for the password.")
@click.option("--password-stdin", is_flag=True, help="Read it from standard input, one line.")
@click.option("--code", help="Of the person's second factor, where he has one.")
@click.option(
    "--key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Instead: the key file of a unit's device, from psn device join.",
)
@click.option("--alert", is_flag=True, help="After an attention tone.")
@click.option(
    "--call",
    type=click.Choice(get_args(wire.CallKind)),
    default="normal",
    show_default=True,
    help="Peril interrupts what is normal, an emergency everything.",
)
@click.option("--url", default=URL, show_default=True, envvar="PSN_URL", help="The server.")
def say(
    group: str,
    file: Path,
    name: str | None,
    password_stdin: bool,
    code: str | None,
    key: Path | None,
    alert: bool,
    call: wire.CallKind,
    url: str,
) -> None:
    """Say a file (WAV, Ogg, MP3 …) in a voice GROUP: group:2, incident:12.

    It waits for the floor like anybody else, talks for a minute at most, and is recorded.
    """
    try:
        VoiceGroup.of(group)
    except ValueError as problem:
        text = f"{group!r} is no voice group."
        raise Problem("bad_group", text, "Write group:2 or incident:12.") from problem
    speech = list(sound.packets(file))
    if alert:
        speech = [*sound.alert(), *speech]
    seconds = len(speech) * sound.PACKET_MS / 1000
    if seconds >= LONGEST_SECONDS:
        text = f"It takes {seconds:.0f} seconds to say that."
        raise Problem("too_long", text, f"Say less than {LONGEST_SECONDS} seconds at once.")
    auth = _auth(name, password_stdin, code, key)
    asyncio.run(_say(Client(url, auth, name="psn say"), group, speech, call))
    click.echo(f"Said in {group}: {seconds:.1f} seconds.")


def _auth(
    name: str | None, password_stdin: bool, code: str | None, key: Path | None
) -> wire.PasswordAuth | Enrolled:
    if (name is None) == (key is None):
        raise click.UsageError("Say who talks: --as NAME or --key FILE.")
    if key is not None:
        return device_key.read(key)
    assert name is not None
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = click.prompt(f"Password of {name}", hide_input=True, err=True)
    return wire.PasswordAuth(name, password, code)


async def _say(client: Client, group: str, speech: list[bytes], call: wire.CallKind) -> None:
    async with client:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await client.up()
        except TimeoutError:
            text = f"{client.url} does not answer."
            raise Problem("no_answer", text, "Look at the address, and at the server.") from None
        try:
            await client.voice.join(group)
            async with client.voice.talk(group, call) as talk:
                await sound.say(talk, speech)
        except ConnectionError as problem:
            text = "The connection was lost before all was said."
            raise Problem("connection_lost", text, "Say it again.") from problem
