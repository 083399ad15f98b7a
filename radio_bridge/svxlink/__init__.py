"""A node of an SvxLink reflector: any radio, also analogue, that has a site controller.

:mod:`messages` are the bytes, :mod:`node` is signing in and talking, without sockets or clocks,
:mod:`events` what that tells; :mod:`sockets` does input and output. Speech is Opus both ways, as
the packets came.
"""
