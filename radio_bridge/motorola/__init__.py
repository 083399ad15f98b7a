"""What Motorola's radios, and many that speak like them, say in datagrams. Pure.

Nothing of it is published by its maker; it is read as open programs read it, and as recorded
datagrams have it. :mod:`text` has port 4007, :mod:`presence` 4005, :mod:`location` 4001.
"""
