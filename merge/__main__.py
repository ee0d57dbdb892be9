"""`python -P -m merge BASE OURS THEIRS -p PATH -o OUT`: the engine for one file, by itself.

`-P` keeps a folder named merge/ in the current directory from being run instead.
"""

from __future__ import annotations

import sys

from merge.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], "python -P -m merge"))
