"""What is open now, as every desk and every crew sees it: the topics ``board`` and ``duty``."""
