"""The agent daemon: standard library only, Python 3.8 and later, imports nothing of octogram_tui."""

VERSION = "0.1.0"
PROTOCOL = (1, 4)  # major, minor; a different major is refused
