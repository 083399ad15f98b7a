"""The DMR air interface, ETSI TS 102 361: bits and bytes in, values out, and the other way round.

Clauses are those of TS 102 361-1 V2.5.1 (air interface), -2 V2.4.1 (voice and generic services), -3
V1.3.1 (data) and -4 V1.10.1 (trunking); without a number, part 1 is meant.

From the bottom up: :mod:`cyclic`, :mod:`reed_solomon`, :mod:`bptc`, :mod:`trellis` and
:mod:`checks` mend and check bits; :mod:`burst` is what is on the air for 30 ms;
:mod:`link_control`, :mod:`talker_alias` and :mod:`embedded` say whose call it is;
:mod:`control_block` carries short requests; :mod:`data_header`, :mod:`data_block` and
:mod:`packet` carry bytes, and :mod:`datagram` what the bytes are.

A word of bits is an ``int``, the first bit that is sent the most significant. What cannot be read
raises :class:`radio_bridge.unreadable.Unreadable` and nothing else.
"""
