"""Addresses and ports of this machine: where servers listen, how they are reached, what is free."""
