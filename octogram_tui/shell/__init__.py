"""A shell for a person on an agent's machine, beside the run: it asks the run where, and disturbs nothing of it."""
