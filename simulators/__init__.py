"""Fleets, radios and callers that do not exist, to try the network with."""
