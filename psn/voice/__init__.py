"""Voice: who may talk in a group, and frames from who talks to who listens."""
