"""The Homebrew protocol between DMR repeaters and networks, as MMDVM's repeaters and masters do.

A *repeater* signs in at a *master* over UDP, with a salted SHA-256 of a shared secret; then both
send each other bursts. Masters do so among themselves with OpenBridge, without signing in.

:mod:`packets` are the bytes, :mod:`configuration` what a repeater says of itself; :mod:`master` and
:mod:`peer` are the two sides of signing in, without sockets or clocks: datagrams and the time go
in, datagrams and events come out. :mod:`openbridge` signs. :mod:`sockets` does input and output.
"""
