"""Radio networks on this side: who may do what with them, and what their gateways tell."""
