"""The journal: one run, one append-only file of JSON lines, written before anyone is told."""
