"""Other servers beside this one: the same positions, the same load, the same processor.

:mod:`~simulators.bench.rivals.servers` starts them, :mod:`~simulators.bench.rivals.speech` speaks
to each in its own protocol, :mod:`~simulators.bench.rivals.match` lets them take turns.
"""
