"""Headless front ends: they fold the same events as the console, and write lines or files."""
