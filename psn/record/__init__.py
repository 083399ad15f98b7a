"""Messages and receipts: on disk before they are acknowledged."""
