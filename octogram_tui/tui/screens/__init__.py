"""What fills the terminal: the run, help, and the dialogs."""
