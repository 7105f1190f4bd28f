"""What a DAL node answers over HTTP, release by release."""

from __future__ import annotations

import collections

from . import base58, http_client, ledger, releases
from .http_server import NOT_FOUND, UNAUTHORIZED, Request, Response, as_json, rpc_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Optional

    Json = Dict[str, Any]

KEPT_SLOTS = 256


class Refused(Exception):
    """The request cannot be honoured."""

    def __init__(self, identifier: str, message: str) -> None:
        super().__init__(message)
        self.identifier = identifier


class DalRpc:
    """Answers for one DAL node. `parameters` are None until it is ready."""

    def __init__(self, node: http_client.Client, profiles: Json, release: releases.Release) -> None:
        self.node = node
        self.profiles = profiles
        self.release = release
        self.parameters: Optional[Json] = None
        self.level = 0
        self.received = 0
        # Without the padding, which is most of a slot.
        self._slots: collections.OrderedDict[str, bytes] = collections.OrderedDict()

    def guarded(self, allow_all: bool) -> Callable[[Request], Response]:
        """Give the handler: whoever is not allowed everything may only read."""

        def answer(request: Request) -> Response:
            if not allow_all and request.method not in ("GET", "HEAD"):
                return UNAUTHORIZED
            try:
                return self._answer(request)
            except Refused as error:
                return rpc_error(f"dal.node.{error.identifier}", str(error))
            except (http_client.Unreachable, http_client.Refused) as error:
                return rpc_error("dal.node.l1_unreachable", str(error))

        return answer

    def _answer(self, request: Request) -> Response:
        parts = request.path.strip("/").split("/")
        release = self.release
        if request.method == "GET":
            return self._read(parts)
        if parts == ["profiles"] and request.method == "PATCH" and release.level >= 19:
            return self._add_profiles(request)
        if parts == ["slots"] and request.method == "POST" and release.level >= 21:
            return self._post_slot(request, request.argument("slot_index"))
        if parts == ["slot"] and request.method == "POST" and release.level == 20:
            return self._post_slot(request, None)
        if parts[0] == "commitments" and release.level <= 19:
            return self._commitments(parts[1:], request)
        return NOT_FOUND

    def _read(self, parts: List[str]) -> Response:
        release = self.release
        if parts == ["version"] and release.level >= 19:
            return as_json(releases.version_value(release))
        if parts == ["health"] and release.level >= 21:
            return as_json(self._health())
        if parts == ["synchronized"] and release.level >= 24:
            return as_json("synced" if self.parameters is not None else "syncing")
        if parts == ["profiles"]:
            return as_json(self._shown_profiles())
        if parts == ["last_processed_level"] and release.level >= 21:
            return as_json(self.level)
        if parts[0] == "levels" and len(parts) == 5 and parts[2] == "slots" and release.level >= 21:
            return self._slot_of_level(parts[1], parts[3], parts[4])
        if parts[0] == "commitments" and len(parts) == 3 and parts[2] == "proof" and release.level <= 19:
            return self._proof(parts[1])
        return NOT_FOUND

    def _health(self) -> Json:
        checks = [{"name": name, "status": "up"} for name in ("p2p", "topics", "gossipsub")]
        return {"status": "up" if self.parameters is not None else "degraded", "checks": checks}

    def _shown_profiles(self) -> Json:
        if self.profiles["bootstrap"]:
            return {"kind": "bootstrap"}
        shown = {role: self.profiles[role] for role in ("attesters", "operators", "observers")}
        return {"kind": "controller", "controller_profiles": shown}

    def _add_profiles(self, request: Request) -> Response:
        if self.profiles["bootstrap"]:
            raise Refused("profile_incompatibility", "a bootstrap node takes no other profiles")
        try:
            added = request.json()
            names = {role: list(added.get(role, [])) for role in ("attesters", "operators", "observers")}
        except (ValueError, AttributeError, TypeError) as error:
            return rpc_error("dal.node.malformed_request", str(error), 400)
        for name in names["attesters"]:
            if not base58.is_pkh(str(name)):
                return rpc_error("dal.node.malformed_request", f"{name!r} is not a public key hash", 400)
        for role, values in names.items():
            self.profiles[role] += [value for value in values if value not in self.profiles[role]]
        return Response(204)

    # Slots.

    def _ready(self) -> Json:
        if self.parameters is None:
            raise Refused("not_ready", "the DAL node is not ready yet")
        return self.parameters

    def _post_slot(self, request: Request, index: str | None) -> Response:
        parameters = self._ready()
        if self.release.level >= 21:
            self._check_index(index, parameters)
        try:
            data = _slot_bytes(request.json())
        except (ValueError, TypeError) as error:
            return rpc_error("dal.node.malformed_request", f"not a slot: {error}", 400)
        if len(data) > parameters["slot_size"]:
            raise Refused("slot_too_large", f"the slot has {len(data)} bytes, at most {parameters['slot_size']} fit")
        padding = (request.argument("padding") or "\0").encode()[:1]
        commitment = self._keep(data + padding * (parameters["slot_size"] - len(data)))
        return as_json({"commitment": commitment, "commitment_proof": ledger.commitment_proof(commitment)})

    def _check_index(self, text: str | None, parameters: Json) -> None:
        if text is None:
            return
        if not text.isdigit() or int(text) >= parameters["number_of_slots"]:
            slots = parameters["number_of_slots"]
            raise Refused(
                "invalid_slot_index", f"The slot index ({text}) should be smaller than the number of slots ({slots})"
            )
        if int(text) not in self.profiles["operators"]:
            raise Refused(
                "cannot_publish_on_slot_index", f"Cannot publish on slot index {text}: not among the operators'"
            )

    def _keep(self, slot: bytes) -> str:
        point = base58.digest(slot, 48)
        # The first byte of a compressed curve point has its highest bit set, which makes the text begin with sh1.
        commitment = base58.encode("dal_commitment", bytes([0x80 | point[0] & 0x0F]) + point[1:])
        self._slots[commitment] = slot.rstrip(b"\0")
        self.received += 1
        while len(self._slots) > KEPT_SLOTS:
            self._slots.popitem(last=False)
        return commitment

    def _commitments(self, rest: List[str], request: Request) -> Response:
        """Serve the way of v18 and v19: a commitment first, then shards, then a proof."""
        parameters = self._ready()
        if not rest and request.method == "POST":
            try:
                slot = bytes.fromhex(request.json())
            except (ValueError, TypeError) as error:
                return rpc_error("dal.node.malformed_request", f"not a slot: {error}", 400)
            if len(slot) != parameters["slot_size"]:
                raise Refused("slot_size", f"the slot has {len(slot)} bytes, it must have {parameters['slot_size']}")
            return as_json(self._keep(slot))
        if len(rest) == 2 and rest[1] == "shards" and request.method == "PUT":
            if rest[0] not in self._slots:
                return NOT_FOUND
            return as_json(None)
        return NOT_FOUND

    def _proof(self, commitment: str) -> Response:
        return as_json(ledger.commitment_proof(commitment)) if commitment in self._slots else NOT_FOUND

    def _slot_of_level(self, level: str, index: str, what: str) -> Response:
        parameters = self._ready()
        published = self.node.get(f"/chains/main/blocks/head/context/dal/published_slot_headers?level={int(level)}")
        commitment = next((slot["commitment"] for slot in published if str(slot["index"]) == index), None)
        if commitment is None:
            return NOT_FOUND
        if what == "commitment":
            return as_json(commitment)
        if what == "status":
            waits = self.level - int(level) < parameters["attestation_lag"]
            return as_json("waiting_attestation" if waits else "attested")
        if what == "content" and commitment in self._slots:
            slot = self._slots[commitment].ljust(parameters["slot_size"], b"\0")
            return as_json({"invalid_utf8_string": list(slot)})
        return NOT_FOUND


def _slot_bytes(value: object) -> bytes:
    """Read a slot: a string, or bytes as numbers where they are not UTF-8."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, dict) and set(value) == {"invalid_utf8_string"}:
        numbers = value["invalid_utf8_string"]
        if not isinstance(numbers, list):
            raise TypeError("invalid_utf8_string must be a list of bytes")
        return bytes(numbers)
    raise TypeError("expected a string, or an object with invalid_utf8_string")
