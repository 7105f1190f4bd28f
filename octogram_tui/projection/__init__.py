"""Pure folds: events go in, what people look at comes out. Knows no screen, no clock and no file."""
