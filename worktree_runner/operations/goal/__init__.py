"""After the last plan: whether the phase's goal is reached: looked up, verified, accepted."""
