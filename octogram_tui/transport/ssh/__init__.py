"""The way to a machine over SSH: the only part of the program that imports asyncssh, and itself imported late."""

from octogram_tui.transport.ssh import libraries as libraries  # before whatever imports asyncssh
from octogram_tui.transport.ssh.transport import Machines, SshTransport

__all__ = ["Machines", "SshTransport"]
