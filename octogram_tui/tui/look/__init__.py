"""What there is to know about a row, an agent or a variable, as lines of text: pure, so that it can be tested."""
