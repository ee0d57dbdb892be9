"""What the commands do: load, fold, decide, perform, append."""
