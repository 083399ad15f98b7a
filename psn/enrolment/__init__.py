"""Devices and how they come in: a code once, a key from then on."""
