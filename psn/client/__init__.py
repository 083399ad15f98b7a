"""The client library: everything outside the core speaks to it through this."""

from psn.client.client import Client, Link, websocket_url
from psn.client.offline import Offline
from psn.client.radio import Carried, Keyed, Plan, RadioLine, Talkgroup
from psn.client.refusal import ClientRefused

__all__ = [
    "Carried",
    "Client",
    "ClientRefused",
    "Keyed",
    "Link",
    "Offline",
    "Plan",
    "RadioLine",
    "Talkgroup",
    "websocket_url",
]
