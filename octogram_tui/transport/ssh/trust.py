"""Whether a server is who it should be: the verdict on a host key that is not on file, in words."""

from __future__ import annotations

import asyncssh

from octogram_tui.errors import HostKeyRefused
from octogram_tui.transport.knownhosts import DEFAULT_PORT, HostKey, describe
from octogram_tui.transport.ssh.profile import Profile


class Guard(asyncssh.SSHClient):
    """Judges the host key of one attempt to connect, and keeps the reason when it refuses it."""

    def __init__(self, profile: Profile, *, accept_new: bool) -> None:
        self.refusal: HostKeyRefused | None = None
        self.note = ""  # why an accepted key could not be written down
        self.is_trusted = False
        self._profile = profile
        self._accept_new = accept_new
        self._presented: HostKey | None = None

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        """Decide on a key that is not on file for this server; called in the event loop, before anything is sent."""
        profile = self._profile
        presented = host_key(key)
        address = addr if profile.is_direct else ""  # behind a proxy it is the proxy's
        known = profile.known_hosts
        if any(entry.key.blob == presented.blob for entry in known.match(profile.trust_name, profile.port).trusted):
            return True  # accepted for a neighbour's connection a moment ago
        against = [
            entry
            for entry in known.contradicting(profile.trust_name, profile.port, address)
            if entry.marker or entry.key.blob != presented.blob
        ]
        if against:
            self.refusal = HostKeyRefused(
                f"the host key of {profile.place} has changed: it is {presented.fingerprint} ({presented.type}), "
                f"on file is {describe(against)}",
                hint="somebody may be between; if the machine was installed anew, remove the line: "
                f"`ssh-keygen -R {_name(profile)} -f {against[0].file}`",
                code="trust.changed",
            )
            return False
        if self._accept_new:
            self.note = known.accept(profile.trust_name, profile.port, presented)
            return True
        self.refusal = HostKeyRefused(
            f"the host key of {profile.place} is not known: it is {presented.fingerprint} ({presented.type})",
            hint=_how_to_trust(profile),
            code="trust.unknown",
        )
        return False

    def refused(self, error: asyncssh.HostKeyNotVerifiable) -> HostKeyRefused:
        """Give the refusal in words; the library refuses revoked keys and bad certificates by itself."""
        if self.refusal is not None:
            return self.refusal
        code = "trust.revoked" if "revoked" in error.reason.lower() else "trust.refused"
        return HostKeyRefused(
            f"the host key of {self._profile.place} is refused: {error.reason}",
            hint="see the lines with @revoked and @cert-authority in known_hosts",
            code=code,
        )


def host_key(key: asyncssh.SSHKey) -> HostKey:
    """Write a key of the library as known_hosts has it."""
    key_type, blob = key.export_public_key("openssh").decode("ascii").split()[:2]
    return HostKey(key_type, blob)


def _name(profile: Profile) -> str:
    return profile.trust_name if profile.port == DEFAULT_PORT else f"'[{profile.trust_name}]:{profile.port}'"


def _how_to_trust(profile: Profile) -> str:
    file = profile.known_hosts.files[0]
    if profile.is_direct and not profile.alias:
        how = f"`ssh-keyscan -p {profile.port} {profile.host} >> {file}`"
    else:
        how = "connecting once with ssh, which asks"
    return f"compare it with the machine's own, then record it by {how}, or run with --accept-new"
