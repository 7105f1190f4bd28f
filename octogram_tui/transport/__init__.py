"""Bytes to and from somewhere. Knows no jobs and no messages."""
