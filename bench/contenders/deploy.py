"""pyinfra: a deploy of so many `true` operations; JOBS says how many."""

import os

from pyinfra.operations import server

for number in range(int(os.environ["JOBS"])):
    server.shell(name=f"job {number}", commands=["true"])
