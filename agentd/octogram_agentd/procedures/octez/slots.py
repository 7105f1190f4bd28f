"""Giving a slot's content to a DAL node, in the RPCs of its release."""

from __future__ import annotations

import json

from octogram_agentd.cuts import beginning, quoted
from octogram_agentd.procedures.base import ProcedureFailed
from octogram_agentd.procedures.octez import failures
from octogram_agentd.procedures.octez.releases import HEAD, has

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional, Tuple

    from octogram_agentd.procedures.context import Context, Response
    from octogram_agentd.procedures.octez.releases import Release

_TIMEOUT_S = 300.0  # a node that proves takes its time for a large slot
_BEFORE_VERSIONS = (18, 0)
_SAID_CHARACTERS = 300
_READ_ONLY = (
    "since v25 its RPC server gives other machines read access only: start it with `tezos.start_dal_node`, which opens "
    "it, or use it from its own machine"
)


async def dal_release(context: Context, endpoint: str) -> Release:
    """Ask a DAL node which release it is; v18 has no such RPC."""
    response = await context.http("GET", endpoint + "/version", headers={"Accept": "application/json"})
    if response.status == 404:
        return _BEFORE_VERSIONS
    version = _checked(response, endpoint + "/version").get("version") or {}
    major, minor = int(version.get("major") or 0), int(version.get("minor") or 0)
    return (major, minor) if major else HEAD


async def post(context: Context, endpoint: str, index: int, content: bytes) -> Tuple[str, str]:
    """Give a DAL node the content of a slot; its commitment and proof come back.

    Raises ProcedureFailed kind `http` with what the node said.
    """
    release = await dal_release(context, endpoint)
    if not has(release, "dal POST /slot"):
        return await _post_in_steps(context, endpoint, content)
    path = "/slots?slot_index=%d" % index if has(release, "dal POST /slots") else "/slot"
    answer = await _send(context, "POST", endpoint + path, {"invalid_utf8_string": list(content)})
    return str(answer["commitment"]), str(answer["commitment_proof"])


async def _post_in_steps(context: Context, endpoint: str, content: bytes) -> Tuple[str, str]:
    """The same for v18 and v19: commitment, shards and proof are asked for one after the other."""
    commitment = str(await _send(context, "POST", endpoint + "/commitments", content.hex()))
    await _send(context, "PUT", "%s/commitments/%s/shards" % (endpoint, commitment), {"with_proof": True})
    proof = str(await _send(context, "GET", "%s/commitments/%s/proof" % (endpoint, commitment), None))
    return commitment, proof


async def _send(context: Context, method: str, url: str, body: Any) -> Any:
    encoded: Optional[bytes] = None if body is None else json.dumps(body, separators=(",", ":")).encode()
    headers = {"Accept": "application/json"}
    if encoded is not None:
        headers["Content-Type"] = "application/json"
    return _checked(await context.http(method, url, headers=headers, body=encoded, timeout_s=_TIMEOUT_S), url)


def _checked(response: Response, url: str) -> Any:
    """Read a good answer. Raises ProcedureFailed for any other."""
    text = response.body.decode("utf-8", "replace").strip()
    if not 200 <= response.status < 300:
        hint = ""
        if response.status in (401, 403):
            hint = _READ_ONLY
        raise ProcedureFailed(
            "the DAL node refused %s (%d): %s"
            % (url, response.status, beginning(text, _SAID_CHARACTERS) or "it said nothing"),
            kind="http",
            hint=hint or failures.hint_for(text),
            status=response.status,
        )
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError:
        raise ProcedureFailed("%s answered what is not JSON: %s" % (url, quoted(text, 80)), kind="http") from None
