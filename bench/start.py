#!/usr/bin/env python3
"""What a start costs: the interpreter alone, --version, check, and the quickstart from start to end.

python bench/start.py [ROUNDS]
"""

from __future__ import annotations

import sys
from pathlib import Path

from paired import compare, seconds_of

QUICKSTART = str(Path(__file__).resolve().parent.parent / "sample_scenarios" / "quickstart.yml")
PROGRAM = str(Path(sys.executable).parent / "octogram-tui")


def main() -> None:
    """Compare."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    compare(
        "Start",
        {
            "python -c pass": lambda: seconds_of([sys.executable, "-c", "pass"]),
            "octogram-tui --version": lambda: seconds_of([PROGRAM, "--version"]),
            "octogram-tui check": lambda: seconds_of([PROGRAM, "check", QUICKSTART]),
            "octogram-tui quickstart, headless": lambda: seconds_of([PROGRAM, QUICKSTART, "--headless"]),
        },
        rounds,
    )


if __name__ == "__main__":
    main()
