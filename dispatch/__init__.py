"""The work done over the network: calls, incidents, units, orders, warnings."""
