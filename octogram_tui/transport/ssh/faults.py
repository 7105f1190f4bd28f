"""One translation of everything that the SSH library and the operating system raise into the program's own errors."""

from __future__ import annotations

import asyncio
import errno
import re
import socket
from typing import NamedTuple

import asyncssh

from octogram_agentd.network.endpoint import Endpoint
from octogram_tui.cuts import beginning
from octogram_tui.errors import AuthFailed, BootstrapFailed, ConnectFailed, ExitCode, LinkLost, TransportError
from octogram_tui.transport.destination import Destination

MAX_TEXT = 300
UNREACHABLE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN}
BUSY = (b"Exceeded MaxStartups", b"Not allowed at this time")  # what sshd says in place of a greeting
DROPPED = {errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED, errno.ESHUTDOWN}


class Sight(NamedTuple):
    """How far an attempt to connect had come when it failed."""

    phase: str = ""  # resolve, greeting, keys, auth: what was being waited for
    greeting: bytes = b""  # the first bytes that the other side sent
    timeout_s: float = 0.0


def printable(text: str) -> str:
    """Make a text of a server safe to show: no control characters, one line, bounded."""
    cleaned = "".join(letter if letter.isprintable() else " " for letter in beginning(text, MAX_TEXT * 2))
    return beginning(" ".join(cleaned.split()), MAX_TEXT)


def is_drop(error: BaseException) -> bool:
    """Tell whether a server closed the connection on us, as one that is busy does, before anything was decided."""
    if isinstance(error, asyncssh.ConnectionLost | ConnectionResetError | BrokenPipeError):
        return True
    return isinstance(error, OSError) and error.errno in DROPPED


def classify(error: BaseException, place: Destination, sight: Sight) -> TransportError:
    """Say what an exception raised while connecting means. What is not known is reported as our defect."""
    if isinstance(error, TransportError):
        return error
    if isinstance(error, asyncssh.Error):
        return _classify_ssh(error, place, sight)
    if isinstance(error, asyncssh.ConfigParseError):
        return _final(
            ConnectFailed(
                f"the ssh configuration is wrong: {printable(str(error))}",
                hint="correct the line, or give another file with --ssh-config",
                code="net.config",
            )
        )
    if isinstance(error, asyncssh.KeyImportError | asyncssh.KeyEncryptionError):
        return unreadable_key(str(place), printable(str(error)))
    if isinstance(error, socket.gaierror):
        return ConnectFailed(
            f"cannot reach {place}: the name is unknown ({error.strerror or error})",
            hint="correct `address`, or name the machine in ~/.ssh/config",
            code="net.dns",
        )
    if isinstance(error, UnicodeError):
        return _final(
            ConnectFailed(
                f"cannot reach {place}: this is not a possible host name",
                hint="a name has parts of 1 to 63 letters, separated by single dots",
                code="net.dns",
            )
        )
    if isinstance(error, TimeoutError | asyncio.TimeoutError):
        return _timed_out(place, sight)
    if isinstance(error, OSError):
        return _classify_os(error, place, sight)
    return defect(error, place)


def defect(error: BaseException, place: Destination) -> TransportError:
    """Report what nobody thought of, without ending more than this agent."""
    failure = TransportError(
        f"cannot reach {place}: unexpected {type(error).__name__}: {printable(str(error))}",
        hint="this is a defect of octogram-tui; please report it",
        code="bug.transport",
    )
    failure.exit_code = ExitCode.BUG
    return failure


def unreadable_key(path: str, reason: str) -> AuthFailed:
    """A private key that cannot be used as it is."""
    if "passphrase" in reason.lower() or "decrypt" in reason.lower():
        return AuthFailed(
            f"the private key {path} is protected by a passphrase, and nobody is there to be asked",
            hint=f"run `ssh-add {path}` first",
            code="auth.passphrase",
        )
    return AuthFailed(
        f"the private key {path} cannot be used: {reason}",
        hint="give the path of a private key that this user can read",
        code="auth.key_unreadable",
    )


def lost(error: BaseException | None, place: Destination) -> LinkLost:
    """A connection that worked, and is gone."""
    reason = printable(str(error)) if error is not None and str(error) else "the connection was closed"
    if isinstance(error, asyncssh.ConnectionLost) and "keepalive" in reason:
        return LinkLost(
            f"the connection to {place} is lost: nothing was heard for 15 s",
            hint="if only large transfers stall, the network's packet size (MTU) may be at fault",
        )
    return LinkLost(f"the connection to {place} is lost: {reason}")


def no_session(error: asyncssh.ChannelOpenError, place: Destination) -> BootstrapFailed:
    """The server knows us, and lets us start nothing."""
    return BootstrapFailed(
        f"{place} refuses to start a command: {printable(error.reason)}",
        hint="see MaxSessions and ForceCommand in the server's sshd_config, and the user's shell",
        code="boot.no_session",
    )


def _classify_ssh(error: asyncssh.Error, place: Destination, sight: Sight) -> TransportError:
    reason = printable(error.reason)
    if isinstance(error, asyncssh.PermissionDenied):
        return AuthFailed(
            f"{place} refuses the login of {place.user}",
            hint="see that the agent's `identity` (or ssh-agent) has a key that is in authorized_keys "
            f"there: `ssh -v -p {place.port} {place.user}@{place.host}` shows what is tried",
            code="auth.refused",
        )
    if "too many authentication failures" in reason.lower():
        return AuthFailed(
            f"{place} ended the login of {place.user}: too many keys were tried",
            hint="give the agent's `identity`, or set IdentitiesOnly in the ssh configuration",
            code="auth.too_many",
        )
    if isinstance(error, asyncssh.KeyExchangeFailed):
        return _final(
            ConnectFailed(
                f"cannot reach {place}: no common method: {reason}",
                hint="see KexAlgorithms, Ciphers and HostKeyAlgorithms on both sides",
                code="net.kex",
            )
        )
    if isinstance(error, asyncssh.ChannelOpenError):
        if error.code == asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED:
            return ConnectFailed(
                f"{place.through} lets nobody through to {Endpoint(place.host, place.port or 22)}: {reason}",
                hint="see AllowTcpForwarding and PermitOpen in its sshd_config",
                code="net.forwarding",
            )
        return ConnectFailed(
            f"cannot reach {place}: {reason}",
            hint="see that the machine can be reached from there",
            code="net.refused" if "refused" in reason.lower() else "net.jump",
        )
    if isinstance(error, asyncssh.ProtocolError | asyncssh.ProtocolNotSupported) and sight.phase == "greeting":
        return _not_ssh(place, sight)
    if isinstance(error, asyncssh.ConnectionLost):
        if "login timeout" in reason.lower():
            return _timed_out(place, sight)
        return _dropped(place, sight)
    return ConnectFailed(f"cannot reach {place}: the server ended the connection: {reason}", code="net.reset")


def _classify_os(error: OSError, place: Destination, sight: Sight) -> TransportError:
    # Several addresses were tried: asyncio then only has a text that holds the numbers.
    numbers = {error.errno} if error.errno else {int(number) for number in re.findall(r"\[Errno (\d+)\]", str(error))}
    if errno.ECONNREFUSED in numbers:
        return ConnectFailed(
            f"cannot reach {place}: connection refused",
            hint=f"see that an SSH server listens on port {place.port} there",
            code="net.refused",
        )
    if errno.ETIMEDOUT in numbers:
        return _timed_out(place, sight)
    if numbers & DROPPED or isinstance(error, ConnectionError):
        return _dropped(place, sight)
    if numbers & UNREACHABLE:
        return ConnectFailed(
            f"cannot reach {place}: no route to it",
            hint="see the address and this machine's network",
            code="net.unreachable",
        )
    if errno.EMFILE in numbers or errno.ENFILE in numbers:
        return _final(
            ConnectFailed(
                f"cannot reach {place}: this machine has no file descriptors left",
                hint="raise the limit: `ulimit -n 4096`",
                code="net.descriptors",
            )
        )
    return ConnectFailed(f"cannot reach {place}: {printable(error.strerror or str(error) or type(error).__name__)}")


def _timed_out(place: Destination, sight: Sight) -> ConnectFailed:
    waited = f"within {sight.timeout_s:g} s" if sight.timeout_s else "in time"
    if sight.greeting and not _speaks_ssh(sight.greeting):
        return _not_ssh(place, sight)
    hint = "see the address, the port and the firewalls between"
    if sight.phase == "greeting":
        text = f"cannot reach {place}: something accepts connections there but sent no SSH greeting {waited}"
    elif sight.phase in ("keys", "auth"):
        text = f"cannot reach {place}: the SSH server did not finish the login {waited}"
        hint = "a machine that is slow does so, and a network that takes no large packets: try a lower MTU"
    else:
        text = f"cannot reach {place}: no answer {waited}"
    return ConnectFailed(text, hint=hint, code="net.timeout")


def _dropped(place: Destination, sight: Sight) -> ConnectFailed:
    if sight.greeting.startswith(BUSY):
        said = printable(sight.greeting.decode("ascii", "replace"))
        return ConnectFailed(
            f"cannot reach {place}: the server lets nobody else in for now (it says {said!r})",
            hint="see MaxStartups and PerSourcePenalties in its sshd_config",
            code="net.reset",
        )
    if sight.greeting and not _speaks_ssh(sight.greeting):
        return _not_ssh(place, sight)
    when = "during the login" if sight.phase in ("keys", "auth") else "before it sent a greeting"
    hint = "a busy sshd does so: see MaxStartups and PerSourcePenalties in its sshd_config, and its log"
    if place.through:
        hint = f"see that {place.through} leads there; {hint}"
    return ConnectFailed(f"cannot reach {place}: the server closed the connection {when}", hint=hint, code="net.reset")


def _not_ssh(place: Destination, sight: Sight) -> ConnectFailed:
    first = beginning(printable(sight.greeting.split(b"\n", 1)[0].decode("utf-8", "replace")), 60)
    return _final(
        ConnectFailed(
            f"cannot reach {place}: what answers there is not an SSH server"
            + (f" (it says {first!r})" if first else ""),
            hint="correct the agent's `port`",
            code="net.not_ssh",
        )
    )


def _speaks_ssh(greeting: bytes) -> bool:
    """Tell whether the first bytes may still be an SSH server's; lines before the version are allowed."""
    return b"SSH-"[: len(greeting)] == greeting[:4] or b"\nSSH-" in greeting


def _final(failure: ConnectFailed) -> ConnectFailed:
    """Mark what trying again cannot mend."""
    failure.is_retryable = False
    return failure
