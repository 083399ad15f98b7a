"""Commands of ``psn``, a file for each family; nothing is imported before it is used."""
