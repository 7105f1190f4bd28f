"""Slurm: one allocation for the agents of a run, and a step in it for each. Its programs are all that is used of it."""

from octogram_tui.transport.slurm.allocation import Allocation
from octogram_tui.transport.slurm.transport import SlurmTransport

__all__ = ["Allocation", "SlurmTransport"]
