"""The database, revision by revision. Applied by psn.migrate."""
