"""Reads and writes the planning directory; writes are targeted line edits only."""
