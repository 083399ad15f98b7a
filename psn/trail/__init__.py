"""The audit: a chain of what was done, that only grows."""
