"""Decisions: pure functions from values to values. No files, clock, environment, git or threads."""
