"""Regular expressions that cannot be waited for: searched in time that grows with the text, never with its powers."""
