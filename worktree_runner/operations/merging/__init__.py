"""From a finished plan to the target branch: queue, gate, landing, publication, clean-up."""
