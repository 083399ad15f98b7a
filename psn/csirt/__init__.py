"""Security events of the audit, told to the national CSIRT."""
