"""How busy the machine is. Read at each sign of life, so it has to cost next to nothing."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional

MEMINFO = "/proc/meminfo"


def sign_of_life(number: int, processes: int) -> Dict[str, Any]:
    """Give the message that we are there, and how busy it is here. processes: how many outlive their jobs."""
    return {"t": "hb", "n": number, "load": dict(measure(), processes=processes)}


def measure() -> Dict[str, float]:
    """Give the load of the last minute by CPU, and the share of memory in use; what cannot be told is not there."""
    found: Dict[str, float] = {}
    try:
        found["cpu"] = round(os.getloadavg()[0] / (os.cpu_count() or 1), 3)
    except OSError:
        pass
    memory = used_memory()
    if memory is not None:
        found["memory"] = memory
    return found


def used_memory(place: str = MEMINFO) -> Optional[float]:
    """Give the share of the memory that is in use, 0 to 1; None where the system does not say."""
    sizes: Dict[str, int] = {}
    try:
        with open(place, "rb") as file:
            for line in file.read(4096).splitlines():
                name, _, rest = line.partition(b":")
                if name in (b"MemTotal", b"MemAvailable"):
                    sizes[name.decode()] = int(rest.split()[0])
    except (OSError, ValueError, IndexError):
        return None
    total, free = sizes.get("MemTotal", 0), sizes.get("MemAvailable")
    return None if not total or free is None else round(1 - min(free, total) / total, 3)
