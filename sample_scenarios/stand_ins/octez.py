#!/usr/bin/env python3
"""Stand-ins for the Octez programs, all of them behind one file: see README.md beside it.

Started under the name of an Octez program (or with $OCTEZ_STAND_IN_PROGRAM set) it behaves as that program; under its
own name it installs copies: `octez.py install DIR --release v21`.
"""

from __future__ import annotations

import sys

from octez_stand_in.program import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[0], sys.argv[1:]))
