"""Stand-ins for the Octez programs: strict about their arguments, toys behind them. Never to be mistaken for Octez."""
