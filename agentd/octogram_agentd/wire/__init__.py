"""What goes between orchestrator and agent: lines, the messages in them, what waits to be sent, one connection."""
