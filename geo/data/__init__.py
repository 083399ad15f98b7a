"""Small extracts of public geography, packaged with the program. See README.md in this folder."""
