"""From bursts to calls: who talks to whom, and whose talk is passed on. Pure, as the floor is.

:mod:`transmissions` follows one channel: a slot of a repeater, on which one radio talks at a time.
:mod:`conversations` sees all of them: one talker for each talkgroup, nothing twice, no loops.
"""
