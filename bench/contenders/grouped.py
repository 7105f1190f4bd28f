"""fabric: a group of threads runs `true` on all hosts, one job after the other, each of which waits for all hosts.

python bench/contenders/grouped.py SERVER_FOLDER PORT HOSTS JOBS
"""

from __future__ import annotations

import getpass
import sys

from fabric import Config, ThreadingGroup
from multiplexed import addresses


def main(folder: str, port: int, hosts: int, jobs: int) -> None:
    group = ThreadingGroup(
        *addresses(hosts),
        user=getpass.getuser(),
        port=port,
        config=Config(overrides={"load_ssh_configs": False}),
        connect_kwargs={"key_filename": f"{folder}/user", "allow_agent": False, "look_for_keys": False},
    )
    for _ in range(jobs):
        assert not group.run("true", hide=True, in_stream=False).failed
    group.close()


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:5]))
