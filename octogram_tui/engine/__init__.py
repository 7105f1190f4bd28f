"""The run as a machine: a stimulus goes in, events and effects come out. No clock, no files, no sockets, no asyncio."""
