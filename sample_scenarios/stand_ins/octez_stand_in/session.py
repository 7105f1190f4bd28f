"""What the programs that speak in sentences share: global options, wallet, endpoint, the node's protocol."""

from __future__ import annotations

import os

from . import arguments, http_client, releases
from .arguments import flag, natural, option
from .lifecycle import Failure
from .wallet import UnknownName, Wallet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

DEFAULT_ENDPOINT = "http://localhost:8732"


def wait(value: str) -> int | None:
    """Take the number of confirmations to wait for, or none."""
    return None if value == "none" else natural(value)


GLOBALS = [
    option("--base-dir -d"),
    option("--config-file -c"),
    option("--endpoint -E"),
    option("--addr -A"),
    option("--port -P", natural),
    flag("--tls -S"),
    option("--chain"),
    option("--block -b"),
    option("--wait -w", wait),
    option("--protocol -p"),
    option("--mode -M", arguments.one_of("client", "light", "proxy", "mockup")),
    option("--password-filename -f"),
    option("--remote-signer -R"),
    option("--media-type -m", arguments.one_of("json", "binary", "any", "default")),
    option("--sources -s"),
    flag("--timings -t"),
    flag("--log-requests -l"),
    flag("--better-errors"),
]


class Session:
    """One invocation: where the wallet is, and which node to ask."""

    def __init__(self, words: List[str], release: releases.Release) -> None:
        """Read the global options. Raises UsageError, or Failure for a base directory that is not there."""
        self.values, self.words = arguments.leading(words, GLOBALS, release)
        self.release = release
        directory = self.values.get("base-dir")
        if directory is not None and not os.path.isdir(directory):
            raise Failure("Specified --base-dir does not exist. Please create the directory and try again.")
        home = os.environ.get("TEZOS_CLIENT_DIR") or os.path.expanduser("~/.tezos-client")
        self.wallet = Wallet(directory or home)
        try:
            self.node = http_client.Client(self.values.get("endpoint", DEFAULT_ENDPOINT))
        except ValueError as error:
            raise Failure(str(error)) from None

    @property
    def confirmations(self) -> int | None:
        """How many confirmations to wait for; None for not waiting at all."""
        confirmations: int | None = self.values.get("wait", 0)
        return confirmations

    def next_protocol(self) -> str:
        """Ask the node which protocol comes next. Raises Unreachable or Refused."""
        protocols: Dict[str, Any] = self.node.get("/chains/main/blocks/head/protocols", timeout_s=10.0)
        return str(protocols["next_protocol"])

    def address(self, name: str) -> str:
        """Give the address of an alias. Raises Failure."""
        try:
            return self.wallet.address(name)
        except UnknownName as error:
            raise Failure(str(error)) from None

    def signer(self, name: str) -> tuple[str, str]:
        """Give the address and public key of somebody whose secret key the wallet has. Raises Failure."""
        try:
            return self.wallet.signer(name)
        except UnknownName as error:
            raise Failure(str(error)) from None


def explain(error: Exception) -> Failure:
    """Turn what a node answered into what Octez prints."""
    if isinstance(error, http_client.Refused):
        if error.status == 401:
            return Failure("The server doesn't authorize this endpoint (ACL filtering).")
        return Failure(http_client.message_of(error.body))
    return Failure(f"Unable to connect to the node: {error}")
