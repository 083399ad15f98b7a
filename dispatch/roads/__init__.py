"""Roads: read from OpenStreetMap, kept in the database, held in memory for questions of time."""
