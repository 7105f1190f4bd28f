"""What differs between Octez releases, as tables: version texts, features, protocols. Pure; runs nothing."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Optional, Tuple

    Release = Tuple[int, int]

OLDEST = (17, 0)
HEAD = (999, 0)  # what a development build counts as: newer than every release, so that it has every feature

_OCTEZ = re.compile(r"\((?:Octez )?(\d+)\.(\d+)(\+dev)?[^()]*(?:\(build: *\d+\))?\)")
_DATED = re.compile(r"octez-smart-rollup-node +\d{8}\.\d+")


def parse_version(text: str) -> Optional[Release]:
    """Read what `PROGRAM --version` printed; None when it is nothing that Octez prints.

    Suffixes (~rc1, ~beta1) count as the release itself; 0.0+dev and date versions of the rollup node as HEAD.
    """
    if _DATED.search(text):
        return HEAD
    found = _OCTEZ.search(text)
    if found is None:
        return None
    major, minor = int(found.group(1)), int(found.group(2))
    return (major, minor) if major else HEAD


def show(release: Release) -> str:
    """Name a release for people."""
    return "a development build" if release >= HEAD else "v%d.%d" % release


SINCE: Dict[str, Release] = {
    "client publishes DAL slots": (18, 0),
    "client publishes without level": (19, 0),
    "node --max-active-rpc-connections": (20, 0),
    "node mocks SRS by flag": (20, 0),
    "node mocks no SRS": (21, 0),
    "node keeps its network with DAL": (23, 0),
    "rollup --no-degraded": (19, 0),
    "dal --attester-profiles": (19, 0),
    "dal --operator-profiles": (22, 0),
    "dal acl": (25, 0),
    "dal --ignore-l1-history-check": (25, 0),
    "dal health": (21, 0),
    "dal POST /slot": (20, 0),
    "dal POST /slots": (21, 0),
    "baker --without-dal": (21, 3),
    "baker is agnostic": (23, 0),
}
"""The first release that has what the name says. Nothing here was ever taken away again, so newer ones have it."""


def has(release: Release, feature: str) -> bool:
    """Tell whether a release has a feature of SINCE."""
    return release >= SINCE[feature]


PROTOCOLS: Dict[str, str] = {
    "alpha": "ProtoALphaALphaALphaALphaALphaALphaALphaALphaDdp3zK",
    "nairobi": "PtNairobiyssHuh87hEhfVBGCVrK3WnS8Z2FT4ymB5tAa4r1nQf",
    "oxford": "ProxfordYmVfjWnRcgjWH36fW6PArwqykTFzotUxRs6gmTcZDuH",
    "paris": "PtParisBxoLz5gzMmn3d9WBQNoPSZakgnkMC2VNuQ3KXfUtUQeZ",
    "parisc": "PsParisCZo7KAh1Z1smVd9ZMZ1HHn5gkzbM94V3PLCpknFWhUAi",
    "quebec": "PsQuebecnLByd3JwTiGadoG4nGWi3HYiLXUjkibeFV8dCFeVMUg",
    "r022": "PsRiotumaAMotcRoDWW1bysEhQy2n1M5fy8JgRp8jjRfHGmfeA7",
    "s023": "PtSeouLouXkxhg39oWzjxDWaCydNfR3RxCUrNe4Q9Ro8BTehcbh",
    "t024": "PtTALLiNtPec7mE7yY4m3k26J8Qukef3E3ehzhfXgFZKGtDdAXu",
    "u025": "PsUshuai9QapM5TGj1JpuVGkdxz5GykdnEvS6Rh8SUVrARvZLCY",
}
"""The protocols that a scenario may name."""

_FIRST_OXFORD = "ProxfordSW2S7fvchT1Zgj2avb5UES194neRyYVXoaDGvF9egt8"


def protocol_hash(name: str, release: Release) -> str:
    """Give the hash of a protocol as that release knows it: Oxford had another one in v18."""
    if name == "oxford" and (18, 0) <= release < (19, 0):
        return _FIRST_OXFORD
    return PROTOCOLS[name]


def protocol_suffix(name: str) -> str:
    """Give how a program of its own for one protocol ends: octez-baker-SUFFIX."""
    return "alpha" if name == "alpha" else PROTOCOLS[name][:8]
