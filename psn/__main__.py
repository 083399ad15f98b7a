"""The command line, ``psn``: the only room that knows every other.

Commands are loaded when they are used, so ``psn --help`` is quick and one room can be taken away
without the others noticing.
"""

from __future__ import annotations

import importlib
import importlib.util
import signal
from collections.abc import Mapping
from typing import Final

if __name__ == "__main__":
    # While modules are being loaded, Ctrl-C ends the process and there is nothing to tell.
    _interrupt = signal.signal(signal.SIGINT, signal.SIG_DFL)

import click

import psn
from psn import settings

COMMANDS: Final[Mapping[str, tuple[str, str, str]]] = {
    "serve": ("dispatch.commands", "serve", "Run the server."),
    "public": (
        "dispatch.warnings.public_process",
        "public",
        "Serve warnings to the public, apart.",
    ),
    "demo": ("psn.commands.demo", "demo", "Run everything at once, with simulated units."),
    "migrate": ("psn.commands.database", "migrate", "Bring the database's tables up to date."),
    "doctor": ("psn.commands.doctor", "doctor", "Say what is wrong here, and what to do."),
    "agency": ("psn.commands.admin", "agency", "Agencies."),
    "user": ("psn.commands.people", "user", "People who sign in."),
    "provider": ("psn.commands.providers", "provider", "Agencies' own sign-in (OpenID Connect)."),
    "unit": ("psn.commands.units", "unit", "Units: what is seen on the map."),
    "device": ("psn.commands.devices", "device", "Tablets and gateways, and their keys."),
    "group": ("psn.commands.admin", "group", "Groups and their members."),
    "agreement": ("psn.commands.sharing", "agreement", "What agencies share, and why."),
    "exception": ("psn.commands.sharing", "exception", "Units that are shown otherwise."),
    "incident": ("psn.commands.incidents", "incident", "Sharing for as long as something happens."),
    "glass": ("psn.commands.incidents", "glass", "Sight that was taken in an emergency."),
    "fence": ("psn.commands.fences", "fence", "Areas whose crossing is told."),
    "place": ("psn.commands.places", "place", "Places with names, and where they are."),
    "geo": ("dispatch.roads.commands", "geo", "Roads, for times to arrive."),
    "audit": ("psn.commands.audit", "audit", "What was done, and whether that was changed."),
    "retention": ("psn.commands.retention", "retention", "How long what is kept."),
    "hold": ("psn.commands.retention", "hold", "What must not be deleted."),
    "warnings": ("dispatch.warnings.commands", "warnings", "What people are warned of."),
    "webhook": ("psn.commands.webhooks", "webhook", "Where security events are posted."),
    "cert": ("psn.commands.cert", "cert", "Certificates to try TLS with."),
    "say": ("psn.commands.say", "say", "A file is heard on the radio."),
    "radio-network": (
        "psn.commands.radio_networks",
        "radio_network",
        "Two-way radio networks and their radios.",
    ),
    "radio": ("radio_bridge.commands", "radio", "Join the two-way radio networks."),
    "simulate": ("simulators.commands", "simulate", "Simulated fleets."),
    "replay": ("simulators.commands", "replay", "Play recordings into the network."),
    "bench": ("simulators.commands", "bench", "Measure."),
}
"""Name: module, attribute, and the line it has in ``psn --help``."""


class LazyGroup(click.Group):
    """A group of commands that are imported on use; problems end as a sentence, not a trace."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Those whose room is there."""
        return [name for name, (module, _, _) in COMMANDS.items() if _is_there(module)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command = getattr(importlib.import_module(module), attribute, None)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List them without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][2]) for name in self.list_commands(ctx)])

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; errors that say what to do are shown, others are ours and traced."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except KeyboardInterrupt:
            click.echo("Stopped before it was done.", err=True)
            raise click.exceptions.Exit(STOPPED) from None
        except Exception as error:
            told = [getattr(error, name, None) for name in ("code", "text", "todo")]
            if not all(isinstance(part, str) for part in told):
                raise
            raise Told(*(str(part) for part in told)) from error


STOPPED: Final = 130
"""Exit status after Ctrl-C: 128 and the number of the signal, as shells have it."""


class Told(click.ClickException):
    """A problem as a person reads it; exit status 1."""

    def __init__(self, code: str, text: str, todo: str) -> None:
        super().__init__(f"{text} {todo} [{code}]")


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


_SETTINGS: Final = ", ".join(settings.PREFIX + name.upper() for name in settings.names())
EPILOG: Final = f"""
\b
Examples:
  psn demo                     everything, with simulated units, from nothing
  psn doctor                   what is wrong with this machine and its settings
  psn migrate && psn serve     a server on the database of PSN_DATABASE

Settings are environment variables ({_SETTINGS}) or the same names in a TOML file that
PSN_CONFIG names.
"""


@click.group(cls=LazyGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(psn.__version__, prog_name="psn")
def main() -> None:
    """Public Safety Network of Belize: one live map, messages and orders for every agency."""


if __name__ == "__main__":
    signal.signal(signal.SIGINT, _interrupt)
    main(prog_name="psn")
