"""What the contenders that use asyncssh have in common: addresses, and options at their best."""

from __future__ import annotations

import getpass
from pathlib import Path

import asyncssh


def addresses(count: int) -> list[str]:
    """Give the addresses of so many hosts."""
    return [f"127.0.{number // 250 + 1}.{number % 250 + 1}" for number in range(count)]


def options(folder: str, **more) -> asyncssh.SSHClientConnectionOptions:
    """Give options, made once for all connections: reading keys for each one would cost more than a handshake."""
    at = Path(folder)
    return asyncssh.SSHClientConnectionOptions(
        config=None,
        username=getpass.getuser(),
        client_keys=[asyncssh.read_private_key(at / "user")],
        known_hosts=asyncssh.read_known_hosts(str(at / "known_hosts")),
        agent_path=None,
        gss_host=None,
        preferred_auth=["publickey"],
        compression_algs=None,
        kex_algs=["curve25519-sha256"],
        encryption_algs=["aes128-gcm@openssh.com"],
        login_timeout=300,
        connect_timeout=300,
        **more,
    )
