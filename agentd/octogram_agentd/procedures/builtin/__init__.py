"""The procedures `builtins.*` and `copy`."""
