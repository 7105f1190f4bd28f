"""Who this process is: which program, of which release. Decided from what was baked in, the name, the environment."""

from __future__ import annotations

import os

from . import releases

RELEASE_VARIABLE = "OCTEZ_STAND_IN_RELEASE"
PROGRAM_VARIABLE = "OCTEZ_STAND_IN_PROGRAM"

# Longest first, so that `octez-baker-alpha` is not read as `octez-baker` with something behind it.
FAMILIES = (
    "octez-experimental-agnostic-baker",
    "octez-smart-rollup-node",
    "smart-rollup-installer",
    "octez-dal-node",
    "octez-client",
    "octez-baker",
    "octez-node",
)


class Identity:
    """The program, the protocol that its name carries (or ''), and the release."""

    __slots__ = ("family", "protocol", "release")

    def __init__(self, family: str, protocol: str, release: releases.Release) -> None:
        self.family = family
        self.protocol = protocol
        self.release = release

    @property
    def name(self) -> str:
        """The name under which Octez installs this program."""
        return f"{self.family}-{self.protocol}" if self.protocol else self.family


def _release_in(text: str) -> str | None:
    """Find a release (`v21`, `v21.3`) among the dash-separated parts of a name."""
    for part in text.replace("_", "-").split("-"):
        if part[:1] == "v" and part[1:2].isdigit():
            return part
    return None


def _split_name(base_name: str) -> tuple[str, str, str | None] | None:
    """Cut a base name into family, protocol and release; None when it is not one of ours."""
    for family in FAMILIES:
        if base_name == family or base_name.startswith((family + "-", family + "_")):
            rest = base_name[len(family) + 1 :]
            release = _release_in(rest)
            protocol = rest.replace("_", "-").split("-")[0] if rest else ""
            return family, "" if protocol == release else protocol, release
    return None


def find(path: str, baked: dict[str, str] | None = None) -> Identity | None:
    """Decide who we are. None when nothing tells which program is meant.

    For the program: baked in, then the base name, then $OCTEZ_STAND_IN_PROGRAM. For the release: baked in, then the
    base name, then $OCTEZ_STAND_IN_RELEASE, then a directory of the path that is called like a release (`v21`).
    """
    baked = baked or {}
    split = _split_name(baked.get("program", "")) or _split_name(os.path.basename(path))
    split = split or _split_name(os.environ.get(PROGRAM_VARIABLE, ""))
    if split is None:
        return None
    family, protocol, in_name = split
    directories = os.path.dirname(os.path.abspath(path)).split(os.sep)
    in_path = next((found for found in map(_release_in, reversed(directories)) if found), None)
    own_name = _split_name(os.path.basename(path))
    candidates = (
        baked.get("release"),
        in_name or (own_name[2] if own_name else None),
        os.environ.get(RELEASE_VARIABLE),
        in_path,
        releases.DEFAULT_TEXT,
    )
    chosen = next(candidate for candidate in candidates if candidate)
    return Identity(family, protocol, releases.parse(chosen))
