"""What every code that is counted means, in a sentence for whoever runs a radio site."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "homebrew.wrong_secret": "Somebody gave a wrong secret for a repeater, or an old proof again.",
    "homebrew.spoofed": "Packets came in the name of a repeater that is not signed in from there.",
    "homebrew.not_signed_in": "A repeater went on without signing in; it was told to.",
    "homebrew.not_admitted": "Packets came from addresses that are not allowed.",
    "homebrew.flood": "A repeater sent more than it may; what was above it was dropped.",
    "homebrew.too_early": "Bursts came before signing in was complete.",
    "homebrew.length": "Packets had a length that none has.",
    "homebrew.unknown": "Packets began like none that is known.",
    "homebrew.reserved": "Bursts were said to be neither of voice nor of data.",
    "homebrew.signature": "Another master's packets had a wrong signature.",
    "calls.again": "Bursts came twice.",
    "calls.behind": "Bursts came too late to be heard.",
    "calls.contention": "A second transmission came on a channel that was taken.",
    "calls.unidentified": "Speech came of which it was not known whose it is; nobody heard it.",
    "calls.busy": "Somebody keyed while another had the talkgroup.",
    "calls.duplicate": "A transmission was heard by two sites; one of them was passed on.",
    "calls.echo": "Speech came back that was said before; masters or reflectors are a loop.",
    "calls.barred": "Somebody keyed who may not, or in a talkgroup that the link does not carry.",
    "calls.claimed_otherwise": "Packets named another talker or talkgroup than the radio did.",
    "calls.radio_twice": "One radio id talked in two places at a time: two radios have it.",
    "bridge.unknown_link": "Bursts came from a repeater that the settings no longer have.",
    "bridge.not_keyed": "Speech came of nobody who had keyed.",
    "bridge.radio_unknown": "A private call was for a radio that was not heard anywhere yet.",
    "bridge.no_vocoder": "Speech could not be heard: it needs a vocoder, and none works.",
    "bridge.vocoder_busy": "Speech could not be heard: every channel of the vocoder was in use.",
    "bridge.opus": "Speech could not be decoded.",
    "bridge.data_barred": "Data came of somebody who may not, or for a talkgroup not carried.",
    "bridge.data_again": "Data came back that was passed on before.",
    "bridge.data_busy": "Data was not passed on to a channel: that was taken.",
    "bridge.data_unsent": "A text was not sent to a radio: its channel was never free.",
    "bridge.text_nobody": "A text was for a radio or talkgroup that nobody here is.",
    "bridge.network_refused": "The network refused what was told for a radio.",
    "bridge.network_late": "Speech for the network was dropped: the line was too slow.",
    "bridge.status_unknown": "A radio sent a status that the settings have no meaning for.",
    "data.incomplete": "Data came of which blocks were missing.",
    "data.unknown": "Data came that nobody here reads.",
    "dmr.crc": "A checksum did not hold.",
    "dmr.fec": "Bits were wrong beyond what can be mended.",
    "dmr.reserved": "A value came that the standard keeps for later.",
    "radio.hytera": "A datagram of a Hytera radio could not be read.",
    "radio.length": "Something had too few bytes, or too many.",
    "radio.ip": "A datagram of a radio could not be read.",
    "radio.text": "A text of a radio could not be read.",
    "radio.location": "A position of a radio could not be read.",
    "radio.presence": "A registration of a radio could not be read.",
    "radio.opus": "A packet of Opus could not be taken apart.",
    "svxlink.late": "Speech of a reflector came too late.",
    "svxlink.length": "A message of a reflector ended too early.",
    "svxlink.frame": "A reflector sent a frame that cannot be one.",
    "svxlink.speech": "A reflector's speech had no length that it may have.",
    "svxlink.stranger": "Datagrams came that were not for our node.",
    "svxlink.unknown": "A reflector sent messages of a kind that is new.",
    "svxlink.untimely": "A reflector sent messages when they mean nothing.",
    "usrp.late": "Speech on a line came too late.",
    "usrp.mark": "Packets on a line were not USRP.",
    "usrp.other": "A line sent something that is not spoken.",
    "usrp.speech": "Speech on a line had a wrong length.",
    "usrp.stranger": "Packets for a line came from another address.",
    "usrp.type": "Packets on a line were of a type that is not known.",
    "vocoder.mark": "Packets of a vocoder were none.",
    "vocoder.frame": "A vocoder's frame was not of DMR.",
    "vocoder.speech": "A vocoder's speech was not 20 ms.",
    "vocoder.untimely": "A vocoder answered what was not asked.",
    "vocoder.rate": "A vocoder cannot do DMR.",
}
OTHERWISE: Final = "Something could not be read."


def sentence(code: str) -> str:
    """What a code means."""
    return SENTENCES.get(code, OTHERWISE)
