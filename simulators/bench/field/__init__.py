"""Units that report and consoles that watch, with whatever else goes on: one load, many scenarios.

:mod:`~simulators.bench.field.positions` makes the reports, :mod:`~simulators.bench.field.post` the
messages beside them, :mod:`~simulators.bench.field.play` sends both by the clock, and
:mod:`~simulators.bench.field.verdict` says afterwards what became of each position.
"""
