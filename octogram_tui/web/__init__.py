"""The console in a browser of this machine: a small server, and a process with a console for each page."""
