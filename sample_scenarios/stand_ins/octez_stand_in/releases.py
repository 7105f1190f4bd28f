"""Which Octez release this is, which protocols and programs it has, and how it prints its version. Tables only."""

from __future__ import annotations

OLDEST, NEWEST = 17, 25
DEFAULT_TEXT = "v25.1"


class Release:
    """One Octez release: the number it shows, and the table row (`level`) that it follows.

    Newer releases than we know, and development builds (`0.0+dev`), follow the newest row.
    """

    __slots__ = ("level", "major", "minor", "suffix")

    def __init__(self, major: int, minor: int, suffix: str = "") -> None:
        self.major = major
        self.minor = minor
        self.suffix = suffix
        self.level = NEWEST if major == 0 else min(major, NEWEST)

    def at_least(self, major: int, minor: int = 0) -> bool:
        """Tell whether this release is that one or a later one."""
        return (self.level, self.minor if self.major else 99) >= (major, minor) or self.level > major

    @property
    def text(self) -> str:
        """The release as Octez writes it, e.g. `21.3` or `25.0~rc1`."""
        return f"{self.major}.{self.minor}{self.suffix}"

    @property
    def order(self) -> tuple[int, int]:
        """A key by which the baker compares itself with its node."""
        return (self.major or 9999, self.minor)


def parse(text: str) -> Release:
    """Read `v21`, `21.3`, `v25.0~rc1` or `dev`. Raises ValueError."""
    body = text.strip().lower()
    if body == "dev":
        return Release(0, 0, "+dev")
    if body.startswith("v"):
        body = body[1:]
    cut = min((body.index(mark) for mark in "~+" if mark in body), default=len(body))
    numbers, suffix = body[:cut], body[cut:]
    major_text, _, minor_text = numbers.partition(".")
    if not major_text.isdigit() or not (minor_text or "0").isdigit():
        raise ValueError(f"{text!r} is not an Octez release such as v21 or v21.3")
    major = int(major_text)
    if 0 < major < OLDEST:
        raise ValueError(f"the stand-ins know the releases from v{OLDEST} on, not {text}")
    default_minor = 1 if major == NEWEST else 0
    return Release(major, int(minor_text) if minor_text else default_minor, suffix)


COMMIT = "1a2b3c4d"
DATES = {
    17: "2023-06-08 10:00:00 +0200",
    18: "2023-09-14 10:00:00 +0200",
    19: "2024-01-22 10:00:00 +0100",
    20: "2024-05-02 10:00:00 +0200",
    21: "2024-11-13 10:00:00 +0100",
    22: "2025-04-10 10:00:00 +0200",
    23: "2025-08-21 10:00:00 +0200",
    24: "2026-01-15 10:00:00 +0100",
    25: "2026-06-30 10:00:00 +0200",
}


def version_line(release: Release) -> str:
    """Write what `--version` prints, in the form of that release."""
    if release.level <= 19:
        name = release.text
    elif release.level < 25:
        name = f"Octez {release.text}"
    else:
        name = f"Octez {release.text} (build: 0)"
    return f"{COMMIT} ({DATES[release.level]}) ({name})"


def version_value(release: Release) -> dict[str, object]:
    """Give what `GET /version` answers, as far as the release decides it."""
    version: dict[str, object] = {"major": release.major, "minor": release.minor}
    if release.level >= 25:
        version["build"] = 0
    version["additional_info"] = _additional_info(release.suffix)
    return {"version": version, "commit_info": {"commit_hash": COMMIT, "commit_date": DATES[release.level]}}


def _additional_info(suffix: str) -> str | dict[str, int]:
    if not suffix:
        return "release"
    if suffix.startswith("+"):
        return "dev"
    kind = suffix[1:].rstrip("0123456789")
    return {kind: int(suffix[1 + len(kind) :] or 0)}


class Protocol:
    """One economic protocol. `number` orders them; alpha comes after all the others."""

    __slots__ = ("binary", "hash", "name", "number")

    def __init__(self, name: str, number: int, binary: str, protocol_hash: str) -> None:
        self.name = name
        self.number = number
        self.binary = binary
        self.hash = protocol_hash


GENESIS_HASH = "ProtoGenesisGenesisGenesisGenesisGenesisGenesk612im"
ALPHA = Protocol("alpha", 999, "alpha", "ProtoALphaALphaALphaALphaALphaALphaALphaALphaDdp3zK")
OXFORD_FIRST = Protocol("oxford", 18, "Proxford", "ProxfordSW2S7fvchT1Zgj2avb5UES194neRyYVXoaDGvF9egt8")
NUMBERED = (
    Protocol("nairobi", 17, "PtNairob", "PtNairobiyssHuh87hEhfVBGCVrK3WnS8Z2FT4ymB5tAa4r1nQf"),
    Protocol("oxford", 18, "Proxford", "ProxfordYmVfjWnRcgjWH36fW6PArwqykTFzotUxRs6gmTcZDuH"),
    Protocol("paris", 19, "PtParisB", "PtParisBxoLz5gzMmn3d9WBQNoPSZakgnkMC2VNuQ3KXfUtUQeZ"),
    Protocol("parisc", 20, "PsParisC", "PsParisCZo7KAh1Z1smVd9ZMZ1HHn5gkzbM94V3PLCpknFWhUAi"),
    Protocol("quebec", 21, "PsQuebec", "PsQuebecnLByd3JwTiGadoG4nGWi3HYiLXUjkibeFV8dCFeVMUg"),
    Protocol("r022", 22, "PsRiotum", "PsRiotumaAMotcRoDWW1bysEhQy2n1M5fy8JgRp8jjRfHGmfeA7"),
    Protocol("s023", 23, "PtSeouLo", "PtSeouLouXkxhg39oWzjxDWaCydNfR3RxCUrNe4Q9Ro8BTehcbh"),
    Protocol("t024", 24, "PtTALLiN", "PtTALLiNtPec7mE7yY4m3k26J8Qukef3E3ehzhfXgFZKGtDdAXu"),
    Protocol("u025", 25, "PsUshuai", "PsUshuai9QapM5TGj1JpuVGkdxz5GykdnEvS6Rh8SUVrARvZLCY"),
)

# The numbered protocols for which a release has client commands and bakers.
ACTIVE = {17: (17,), 18: (17, 18), 19: (17, 18), 20: (18, 19), 21: (20, 21), 22: (21, 22), 23: (22, 23), 24: (23, 24)}
ACTIVE[25] = (23, 24, 25)

# The agnostic baker waits on protocols up to ParisC as it does on genesis.
LAST_FROZEN = 20


def embedded(release: Release) -> list[Protocol]:
    """List the protocols that this release's node can run, oldest first."""
    newest = ACTIVE[release.level][-1]
    known = [protocol for protocol in NUMBERED if protocol.number <= newest]
    if release.level == 18:
        known[-1] = OXFORD_FIRST
    return [*known, ALPHA]


def active(release: Release) -> list[Protocol]:
    """List the protocols for which this release's client and bakers have commands."""
    numbers = ACTIVE[release.level]
    return [protocol for protocol in embedded(release) if protocol.number in numbers or protocol is ALPHA]


def by_hash(protocol_hash: str) -> Protocol | None:
    """Find a protocol by its hash, whatever the release."""
    for protocol in (*NUMBERED, OXFORD_FIRST, ALPHA):
        if protocol.hash == protocol_hash:
            return protocol
    return None


AGNOSTIC_BAKER = "octez-baker"
EXPERIMENTAL_BAKER = "octez-experimental-agnostic-baker"


def program_names(release: Release) -> list[str]:
    """List the names under which this release installs its programs."""
    names = ["octez-node", "octez-client", "smart-rollup-installer"]
    if release.level >= 18:
        names += ["octez-dal-node", "octez-smart-rollup-node"]
    if release.level <= 18:
        names += [f"octez-smart-rollup-node-{protocol.binary}" for protocol in active(release)]
    if release.level >= 23:
        names.append(AGNOSTIC_BAKER)
    if release.level == 22:
        names.append(EXPERIMENTAL_BAKER)
    if release.level <= 24:
        names += [f"octez-baker-{protocol.binary}" for protocol in active(release)]
    return sorted(names)
