"""USRP: PCM over UDP, the plain audio port of AllStar, DVSwitch and radio-over-IP boxes.

:mod:`packets` are the bytes, :mod:`line` follows who keys, without a socket or a clock;
:mod:`socket` does input and output. ``radio_bridge.narrowband`` makes Opus of its samples.
"""
