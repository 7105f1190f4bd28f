"""The nouns of a run. Frozen data: no input or output, nothing that knows a clock."""
