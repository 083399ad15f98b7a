"""Early warning at work: warnings are written, approved and sent, shown, delivered and reported.

What a warning is, and what may become of it, says ``dispatch.alerting``, which does no I/O; here
are its rows, the actions of those who warn, the clock, and the ways out to people.
"""
