"""Benchmarks: a server of their own, the load in a process of its own, counts checked by SQL.

Three processes: the one that was called (:mod:`~simulators.bench.stage`) starts a private
database and a server; the load (:mod:`~simulators.bench.play`) holds every simulated client, so
that one clock stamps both ends of each frame; the server is the real ``psn serve``. Where there
are two cores or more, the server has one to itself.

Senders follow a timetable and do not wait for the server (open loop). Latency counts from the
moment a frame was *due*, so a load process that is late makes the figures worse, never better;
how late it was is reported beside them.
"""
