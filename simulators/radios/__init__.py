"""Simulated radios: repeaters that sign in at a real bridge over UDP, with radios around them.

:mod:`radio` is a radio and what it does next, without sockets or clocks; :mod:`repeater` a repeater
with its line; :mod:`sites` many of both.
"""
