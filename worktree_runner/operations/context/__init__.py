"""What every step of a run works with: the session, the project, places, earlier runs."""
