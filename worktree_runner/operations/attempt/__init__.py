"""One attempt at a plan: made ready, fenced, started, watched, judged."""
