"""Numbers for the supervisor: how long steps took, against what targets, and where it happened.

What each number means stands in docs/domain.md (DOM-NUM). Pure: ``intervals`` (which times make
which interval), ``percentiles``, ``targets``, ``summaries`` (what is said of a group), ``tables``
(CSV), ``period``. ``figures`` asks the database, one query a figure; ``routes`` is the interface.
"""
