"""Wallet directories: the public test keys that sandbox chains start with, and the modes of the files."""

from __future__ import annotations

import json
import os
import re

from octogram_agentd.procedures.base import ProcedureFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Tuple


DEFAULT_KEYS = (
    (
        "activator",
        "tz1TGu6TN5GSez2ndXXeDX6LgUDvLzPLqgYV",
        "edpkuSLWfVU1Vq7Jg9FucPyKmma6otcMHac9zG4oU1KMHSTBpJuGQ2",
        "edsk31vznjHSSpGExDMHYASz45VZqXN4DPxvsa4hAyY8dHM28cZzp6",
    ),
    (
        "bootstrap1",
        "tz1KqTpEZ7Yob7QbPE4Hy4Wo8fHG8LhKxZSx",
        "edpkuBknW28nW72KG6RoHtYW7p12T6GKc7nAbwYX5m8Wd9sDVC9yav",
        "edsk3gUfUPyBSfrS9CCgmCiQsTCHGkviBDusMxDJstFtojtc1zcpsh",
    ),
    (
        "bootstrap2",
        "tz1gjaF81ZRRvdzjobyfVNsAeSC6PScjfQwN",
        "edpktzNbDAUjUk697W7gYg2CRuBQjyPxbEg8dLccYYwKSKvkPvjtV9",
        "edsk39qAm1fiMjgmPkw1EgQYkMzkJezLNewd7PLNHTkr6w9XA2zdfo",
    ),
    (
        "bootstrap3",
        "tz1faswCTDciRzE4oJ9jn2Vm2dvjeyA9fUzU",
        "edpkuTXkJDGcFd5nh6VvMz8phXxU3Bi7h6hqgywNFi1vZTfQNnS1RV",
        "edsk4ArLQgBTLWG5FJmnGnT689VKoqhXwmDPBuGx3z4cvwU9MmrPZZ",
    ),
    (
        "bootstrap4",
        "tz1b7tUupMgCNw2cCLpKTkSD1NZzB5TkP2sv",
        "edpkuFrRoDSEbJYgxRtLx2ps82UdaYc1WwfS9sE11yhauZt5DgCHbU",
        "edsk2uqQB9AY4FvioK2YMdfmyMrer5R8mGFyuaLLFfSRo8EoyNdht3",
    ),
    (
        "bootstrap5",
        "tz1ddb9NMYHZi5UzPdzTZMYQQZoMub195zgv",
        "edpkv8EUUH68jmo3f7Um5PezmfGrRF24gnfLpH3sVNwJnV5bVCxL2n",
        "edsk4QLrcijEffxV31gGdN2HU7UpyJjA8drFoNcmnB28n89YjPNRFm",
    ),
)
"""The published keys of Octez's sandbox, not secrets: alias, hash, public key, secret key."""

ACTIVATOR_PUBLIC_KEY = DEFAULT_KEYS[0][2]

_LISTED = re.compile(r"(.*): ([^ ]*)")
_HASH = re.compile(r"Hash: ?(\w*)")
_PUBLIC = re.compile(r"Public Key: ?(\w*)")
_SECRET = re.compile(r"Secret Key: ?(\w*):?(\w*)")


def make_private(directory: str) -> None:
    """Make a wallet directory where there is none, parents included; its mode is 0700 either way."""
    try:
        os.makedirs(directory, exist_ok=True)
        os.chmod(directory, 0o700)
    except OSError as error:
        raise ProcedureFailed("the wallet %s cannot be made: %s" % (directory, error.strerror), kind="path") from None


def close_files(directory: str) -> None:
    """Take everybody else's rights from the files of a wallet."""
    for entry in os.scandir(directory):
        if entry.is_file(follow_symlinks=False):
            os.chmod(entry.path, 0o600)


def write_default(directory: str) -> None:
    """Write the default keys as a wallet's three files, replacing what was there."""
    make_private(directory)
    files: Dict[str, List[Dict[str, str]]] = {
        "public_key_hashs": [{"name": alias, "value": pkh} for alias, pkh, _, _ in DEFAULT_KEYS],
        "public_keys": [{"name": alias, "value": "unencrypted:" + pk} for alias, _, pk, _ in DEFAULT_KEYS],
        "secret_keys": [{"name": alias, "value": "unencrypted:" + sk} for alias, _, _, sk in DEFAULT_KEYS],
    }
    for name, entries in files.items():
        write_private(os.path.join(directory, name), json.dumps(entries))


def write_private(path: str, text: str) -> None:
    """Write a file of mode 0600 in one step: nobody sees half of it. A link is followed."""
    path = os.path.realpath(path)
    unfinished = "%s.%d.new" % (path, os.getpid())
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(unfinished, 0o600)  # also when a file was left there by somebody
    os.replace(unfinished, path)


def parse_addresses(stdout: str) -> List[Tuple[str, str]]:
    """Read `list known addresses`: alias and hash of each. Raises ValueError with the line that is none."""
    found = []
    for line in stdout.splitlines():
        if not line.strip():
            continue
        match = _LISTED.match(line)
        if match is None:
            raise ValueError(line)
        found.append((match.group(1), match.group(2)))
    return found


class WalletKey:
    """What the client shows of an alias."""

    __slots__ = ("hash", "public")

    def __init__(self, hash: str, public: str) -> None:  # noqa: A002 - what the client calls it
        self.hash = hash
        self.public = public


def parse_key(alias: str, stdout: str) -> WalletKey:
    """Read `show address ALIAS --show-secret`. Raises ProcedureFailed when part of it is not shown."""
    texts = []
    for pattern, what in ((_HASH, "hash"), (_PUBLIC, "public key"), (_SECRET, "secret key")):
        match = pattern.search(stdout)
        if match is None or not match.group(1):
            raise ProcedureFailed(
                "the wallet shows no %s for %s" % (what, alias),
                kind="wallet",
                hint="the procedure needs aliases whose secret key the wallet holds",
            )
        texts.append(match.group(1))
    return WalletKey(texts[0], texts[1])
