"""The bridge itself: every radio network that it reaches joined by talkgroup, and this network's.

:mod:`settings` is what it is told, read with :mod:`tables`; :mod:`exchange` decides who is heard
where, without sockets or clocks; :mod:`mouths` brings a talk out on one channel, :mod:`links` opens
the sockets of the adapters; :mod:`state` is what is shown, :mod:`process` runs it all.
"""
