"""Which units to send: who fits what is needed, ranked by when they can be there, with reasons."""
