"""Whether a server is who it should be: the verdict on a host key that is not on file, in words."""

from __future__ import annotations

import shlex
from functools import partial

import asyncssh

from octogram_tui.errors import HostKeyRefused, NewKey
from octogram_tui.transport.knownhosts import HostKey, describe, written_name
from octogram_tui.transport.ssh.profile import Profile


class Guard(asyncssh.SSHClient):
    """Judges the host key of one attempt to connect, and keeps the reason when it refuses it."""

    def __init__(self, profile: Profile, *, accept_new: bool, certificate: str = "") -> None:
        """certificate: why the one that the server showed before is refused; now it is asked for its plain key."""
        self._of_certificate = f", and its certificate is refused: {certificate}" if certificate else ""
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
        address = addr if profile.is_direct and profile.checks_address else ""  # behind a proxy it is the proxy's
        known = profile.known_hosts
        match = known.match(profile.trust_name, profile.trust_port)
        if any(entry.key.blob == presented.blob for entry in match.trusted):
            return True  # accepted for a neighbour's connection a moment ago
        against = [
            entry
            for entry in known.contradicting(profile.trust_name, profile.trust_port, address)
            if entry.key.blob != presented.blob
        ]
        what = f"it is {presented.fingerprint} ({presented.type}){self._of_certificate}"
        if against:
            self.refusal = HostKeyRefused(
                f"the host key of {profile.place} has changed: {what}, on file is {describe(against)}",
                hint="somebody may be between; if the machine was installed anew, remove the line: "
                f"`ssh-keygen -R {_name(profile)} -f {against[0].file}`",
                code="trust.changed",
            )
            return False
        if self._accept_new or profile.accepts_new:
            self.note = known.accept(profile.trust_name, profile.trust_port, presented)
            if profile.not_recorded:
                self.note = f"accepted host keys hold for this run only: {profile.not_recorded} keeps none"
            return True
        authorities = "" if not match.authorities else f"; on file is an authority, {describe(match.authorities)}"
        self.refusal = HostKeyRefused(
            f"the host key of {profile.place} is not known: {what}{authorities}",
            hint=_how_to_trust(profile),
            code="trust.unknown",
        )
        if not profile.not_recorded:  # else it would hold for nobody but us
            self.refusal.new_key = NewKey(
                written_name(profile.trust_name, profile.trust_port),
                f"{presented.type} {presented.fingerprint}",
                partial(_accept, profile, presented),
            )
        return False

    def is_certificate(self, error: asyncssh.HostKeyNotVerifiable) -> bool:
        """Tell whether it is a certificate that the library refused, and not what is revoked."""
        return self.refusal is None and "revoked" not in error.reason.lower()

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


def _accept(profile: Profile, key: HostKey) -> str:
    """Put a key on file, once: several agents may have met it. Gives why it was not written, or ''."""
    known = profile.known_hosts
    if any(entry.key.blob == key.blob for entry in known.match(profile.trust_name, profile.trust_port).trusted):
        return ""
    return known.accept(profile.trust_name, profile.trust_port, key)


def host_key(key: asyncssh.SSHKey) -> HostKey:
    """Write a key of the library as known_hosts has it."""
    key_type, blob = key.export_public_key("openssh").decode("ascii").split()[:2]
    return HostKey(key_type, blob)


def _name(profile: Profile) -> str:
    return shlex.quote(written_name(profile.trust_name, profile.trust_port))


def _how_to_trust(profile: Profile) -> str:
    """Say how a key gets on file, and what in the configuration is in the way of that or is not honoured."""
    how = f"compare it with the machine's own, then record it by {_recording(profile)}, or run with --accept-new"
    if profile.not_recorded:
        how = f"{profile.not_recorded} keeps no keys: run with --accept-new, or name a file there"
    return f"{profile.not_strict} is not honoured; {how}" if profile.not_strict else how


def _recording(profile: Profile) -> str:
    known = profile.known_hosts
    if not profile.is_direct or profile.alias:
        return "connecting once with ssh, which asks"
    return f"`ssh-keyscan {'-H ' * known.hashes}-p {profile.port} {profile.host} >> {known.record_to}`"
