"""The daemon itself: its directory, its start, its end, and what it does with each message."""
