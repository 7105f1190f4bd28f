"""OpenSSH as scripts use it: a master connection for each host, one `ssh` process for each job.

python bench/contenders/multiplexed.py SERVER_FOLDER PORT HOSTS JOBS
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor


def addresses(count: int) -> list[str]:
    return [f"127.0.{number // 250 + 1}.{number % 250 + 1}" for number in range(count)]


def main(folder: str, hosts: int, jobs: int) -> None:
    with tempfile.TemporaryDirectory(prefix="mux") as sockets:
        ssh = ["ssh", "-F", f"{folder}/ssh_config", "-o", f"ControlPath={sockets}/%C"]

        def work(address: str) -> None:
            master = [*ssh, "-o", "ControlMaster=yes", "-o", "ControlPersist=60", "-fN", address]
            subprocess.run(master, check=True, stdin=subprocess.DEVNULL)
            for _ in range(jobs):
                subprocess.run([*ssh, address, "true"], check=True, stdin=subprocess.DEVNULL)
            subprocess.run([*ssh, "-O", "exit", address], check=True, stderr=subprocess.DEVNULL)

        with ThreadPoolExecutor(min(hosts, 50)) as pool:
            list(pool.map(work, addresses(hosts)))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[3]), int(sys.argv[4]))
