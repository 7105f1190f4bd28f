"""How a process leaves: the collector looks no more, and nothing late changes its exit code. Before, it is put off."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import gc
from octogram_tui import garbage
usual = gc.get_threshold()
garbage.settle()
assert gc.get_freeze_count() == 0, "who never put it off is not touched"
garbage.put_off()
assert gc.get_threshold()[0] > usual[0]
garbage.settle()
assert gc.get_freeze_count() and gc.get_threshold() == usual and gc.isenabled()
new = [[] for _ in range(1000)]
garbage.settle()
assert len(gc.get_objects()) > 1000, "once only: what comes later is looked at"
garbage.leave()
assert not gc.isenabled() and len(gc.get_objects()) < 100
"""


LEAVING = """
import os, signal, sys
from octogram_tui.cli import main
sys.argv = ["octogram-tui", "--version"]
code = main()
os.kill(os.getpid(), signal.SIGINT)
sys.exit(code)
"""


def test_a_late_interrupt_does_not_change_how_a_process_has_ended() -> None:
    subprocess.run([sys.executable, "-c", LEAVING], check=True, stdout=subprocess.DEVNULL)


def test_the_collector_is_put_off_and_looks_again() -> None:
    subprocess.run([sys.executable, "-c", PROGRAM], check=True)
