"""What the commands do: load, fold, decide, perform, append.

One file a command lies here. What a run is made of lies in the rooms below, each of which knows
only the ones before it: `context`, `attempt`, `merging`, `goal`, `run`.
"""
