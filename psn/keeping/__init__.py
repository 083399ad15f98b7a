"""How long what is kept, and what becomes of it then."""
