"""octogram-tui: run scenarios over many machines, and step through them."""

__version__ = "0.1.0"
