"""What is recorded of one attempt while it is under way, and until its end is answered for."""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Optional

    from octogram_agentd.kernel import Task, Timer
    from octogram_agentd.processes.logs import Log

LAST_LINES = 20  # of the output, in an error's detail


class Attempt:
    """An attempt by name. Why it ends early stands here, whatever was thrown into its task for that."""

    task: Optional[Task] = None
    timer: Optional[Timer] = None
    timeout_s = 0.0
    is_late = False  # its time was over first
    asked_to_end = ""  # why the orchestrator cancelled it
    lost_reason = ""  # why the daemon ends it, although nobody asked for that
    has_started = False  # any process
    is_over = False
    output: Optional[Log] = None
    mark = ""  # of the ports that are to be put into its arguments
    progress = ""  # said, and not told yet
    progress_timer: Optional[Timer] = None

    def __init__(self, name: str, number: int) -> None:
        self.name = name
        self.owner = "a%d" % number  # what the programs that it starts are marked with
        self.started_s = time.monotonic()
        self.temporaries: List[str] = []
        self.env: Dict[str, str] = {}  # of its programs, beside that of all programs of the agent

    @property
    def is_ending(self) -> bool:
        """Whether it was told to end."""
        return bool(self.is_late or self.asked_to_end or self.lost_reason)

    def last_lines(self) -> List[str]:
        """Give the end of what it printed."""
        return self.output.last_lines(LAST_LINES) if self.output is not None else []

    def clean(self) -> None:
        """Remove what was promised to be removed with the attempt."""
        for path in self.temporaries:
            try:
                os.unlink(path)
            except OSError:
                pass
