"""The process of a run that looks at its machines, pretended: what it says of them, and what it is told."""

from __future__ import annotations

import json
import os
from typing import Any

OK = [["h", check, "ok", "", ""] for check in ("name", "connection", "host key", "login", "start", "python", "disk")]


class Host:
    """Stands in for the run's process: says what it is told to, and keeps what was decided."""

    def __init__(self) -> None:
        self.read_fd, self.write_fd = os.pipe()
        self.is_over = False
        self.told: list[str] = []
        self.left: list[dict[str, Any]] = []

    def say(self, *records: dict[str, Any]) -> None:
        os.write(self.write_fd, b"".join(json.dumps(record).encode() + b"\n" for record in records))

    def hang_up(self) -> None:
        os.close(self.write_fd)
        self.write_fd = -1

    def close(self) -> None:
        os.close(self.read_fd)
        if self.write_fd >= 0:
            os.close(self.write_fd)

    def fileno(self) -> int:
        return self.read_fd

    def take(self) -> list[dict[str, Any]]:
        data = os.read(self.read_fd, 65536)
        self.is_over = not data
        return [json.loads(line) for line in data.splitlines()]

    def put_back(self, records: Any) -> None:
        self.left += records

    def tell(self, decision: dict[str, Any]) -> None:
        self.told.append(decision["do"])


def machine(number: int, *, fails: str = "", key: str = "", place: str = "") -> dict[str, Any]:
    rows = [[place, "name", "ok", "", ""], [place, "connection", "fail", fails, "do this"]] if fails else OK
    rows = [["h", "host key", "fail", "not known", "compare"]] if key else rows
    return {
        "machine": number,
        "place": place or f"root@10.0.0.{number}:22",
        "agents": [f"node_{number}"],
        "rows": rows,
        "new_key": [f"10.0.0.{number}", key] if key else None,
    }
