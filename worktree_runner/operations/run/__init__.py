"""A run as a whole: its loop, what is asked of the user, how it goes on and how it ends."""
