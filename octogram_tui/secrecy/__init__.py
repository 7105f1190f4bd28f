"""Secrets of a run: where their values come from, and what stands in their places wherever something is written."""
