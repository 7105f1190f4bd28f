"""`python -m octogram_tui`: the same program."""

import sys

from octogram_tui.cli import main

if __name__ == "__main__":
    sys.exit(main())
