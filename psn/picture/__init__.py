"""Where units are: taken in, kept as tracks, shown to whoever may see them."""
