"""The network: sessions, the live picture, messages that are not lost, and who may see what.

It knows nothing of incidents, radios or simulators; those are its clients.
"""

__version__ = "0.1.0"
