"""The console without a screen: verbs typed at a prompt, and everything told in lines."""
