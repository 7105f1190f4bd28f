"""A client's wallet: three lists of aliases in a directory, and the contracts and rollups it has memorized."""

from __future__ import annotations

import json
import os

from . import base58

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

FILES = {"pkh": "public_key_hashs", "pk": "public_keys", "sk": "secret_keys"}


class UnknownName(Exception):
    """The wallet has no such alias, or not the key that is needed."""


class Wallet:
    """The files of one base directory, read when first needed."""

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self._lists: Dict[str, Dict[str, Any]] = {}

    def _file(self, name: str) -> Dict[str, Any]:
        if name not in self._lists:
            try:
                with open(os.path.join(self.directory, name), encoding="utf-8") as stream:
                    self._lists[name] = {entry["name"]: entry["value"] for entry in json.load(stream)}
            except FileNotFoundError:
                self._lists[name] = {}
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise UnknownName(f"cannot read {name} in {self.directory}: {error}") from None
        return self._lists[name]

    def _save(self, name: str) -> None:
        entries = [{"name": alias, "value": value} for alias, value in self._file(name).items()]
        write_json(os.path.join(self.directory, name), entries)

    def addresses(self) -> Dict[str, str]:
        """Give the address of every alias, in the order of the file."""
        return dict(self._file(FILES["pkh"]))

    def address(self, name: str) -> str:
        """Give the address that an alias, or the address itself, stands for. Raises UnknownName."""
        known = self._file(FILES["pkh"])
        if name in known:
            return str(known[name])
        if base58.is_pkh(name):
            return name
        raise UnknownName(f"no public key hash alias named {name}")

    def _alias(self, name: str) -> str:
        """Give the alias of an alias or address. Raises UnknownName."""
        known = self._file(FILES["pkh"])
        if name in known:
            return name
        for alias, address in known.items():
            if address == name:
                return str(alias)
        self.address(name)
        raise UnknownName(f"no keys for the source contract {name}")

    def public_key(self, name: str) -> str | None:
        """Give the edpk text of an alias, without its scheme; None when the wallet lacks it."""
        value = self._file(FILES["pk"]).get(name)
        if isinstance(value, dict):
            value = value.get("key") or value.get("locator")
        return None if value is None else str(value).rpartition(":")[2]

    def secret_uri(self, name: str) -> str | None:
        """Give the secret key of an alias with its scheme; None when the wallet lacks it."""
        value = self._file(FILES["sk"]).get(name)
        return None if value is None else str(value)

    def signer(self, name: str) -> tuple[str, str]:
        """Give the address and public key of somebody whose secret key we can use. Raises UnknownName."""
        alias = self._alias(name)
        uri = self.secret_uri(alias)
        if uri is None:
            raise UnknownName(f"no secret key for {name} in the wallet")
        if not uri.startswith("unencrypted:"):
            raise UnknownName(f"the secret key of {name} needs a password or a signer: {uri.partition(':')[0]}")
        secret = uri[len("unencrypted:") :]
        from . import ed25519

        try:
            public = ed25519.public_key(secret)
        except ValueError as error:
            raise UnknownName(f"the secret key of {name} is invalid: {error}") from None
        if base58.pkh_of(public) != self.address(alias):
            raise UnknownName(f"the secret key of {name} is not the one of {self.address(alias)}")
        return self.address(alias), public

    def signers(self) -> List[str]:
        """List the addresses of all the aliases with a secret key."""
        return [self.address(alias) for alias in self._file(FILES["sk"])]

    def add_keys(self, keys: List[tuple[str, str, str]]) -> None:
        """Add (alias, public key, secret key) entries, replacing aliases of the same name."""
        for alias, public, secret in keys:
            self._file(FILES["pkh"])[alias] = base58.pkh_of(public)
            self._file(FILES["pk"])[alias] = f"unencrypted:{public}"
            self._file(FILES["sk"])[alias] = f"unencrypted:{secret}"
        for name in FILES.values():
            self._save(name)

    def memorized(self, kind: str) -> Dict[str, Any]:
        """Give the aliases of `contracts` or `smart_rollups`."""
        return self._file(kind)

    def memorize(self, kind: str, alias: str, address: str) -> None:
        """Remember a contract or rollup."""
        self._file(kind)[alias] = address
        self._save(kind)


def write_json(path: str, value: object) -> None:
    """Replace a file of the wallet, readable by its owner only."""
    temporary = f"{path}.{os.getpid()}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(value, stream, indent=2)
        stream.write("\n")
    os.replace(temporary, path)
