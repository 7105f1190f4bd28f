"""Attempts: what is recorded of each, what its procedure sees, what services came of them."""
