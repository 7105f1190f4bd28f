"""parallel-ssh: all hosts run `true`, one job after the other, each of which waits for all hosts.

python bench/contenders/parallel.py SERVER_FOLDER PORT HOSTS JOBS
"""

from __future__ import annotations

import getpass
import sys

from multiplexed import addresses
from pssh.clients import ParallelSSHClient


def main(folder: str, port: int, hosts: int, jobs: int) -> None:
    client = ParallelSSHClient(
        addresses(hosts),
        user=getpass.getuser(),
        port=port,
        pkey=f"{folder}/user",
        pool_size=hosts,
        allow_agent=False,
        num_retries=1,
        timeout=300,
    )
    for _ in range(jobs):
        done = client.run_command("true")
        client.join(done)
        assert all(one.exit_code == 0 for one in done)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:5]))
