"""Early warning: what is told to everyone in an area, and what they may then believe. Pure.

docs/warnings.md says the rules in words, with names; tests quote them.
"""
