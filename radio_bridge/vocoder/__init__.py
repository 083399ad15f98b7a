"""AMBE+2 and samples: a vocoder that somebody has a licence for, in a chip behind a server.

:mod:`packets` are the chip's bytes, :mod:`chip` what is asked of it and when, without a socket or a
clock, :mod:`server` the UDP socket. Nothing here computes AMBE+2.
"""
