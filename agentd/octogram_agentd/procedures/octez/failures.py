"""What Octez programs say when they fail, in one line, and what can be done about it."""

from __future__ import annotations

import re

from octogram_agentd.cuts import beginning
from octogram_agentd.procedures.base import ProcedureFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List, Sequence

MESSAGE_CHARACTERS = 600

_ADVICE = re.compile(r"Usage: |Try '|Hint: ")
_OPENING = re.compile(r"(?:^|[\s:])(?:fatal error|unexpected error|error)s?\s*:\s*(.*)$", re.IGNORECASE)

_FAULT = re.compile(r"failed to parse address .*|the expected proof-of-work must .*")
"""What a node's validation finds; its error says only that the configuration is invalid."""

CONFLICT = r"mempool already contains a conflicting operation"
"""What a node says, and keeps nothing, while an earlier operation of the same source waits for its block."""

HINTS = (
    (
        CONFLICT,
        "a block takes one operation of a source: let the earlier one be included first (`wait: 0` or more, jobs one "
        "after the other), or give each a source of its own",
    ),
    (
        r"not_enough_l1_history|[Nn]ot enough L1 history|L1 node's history mode",
        "the L1 node keeps too few cycles for this profile: start it with `history_mode: archive`, or (v25 and later) "
        "give the DAL node `ignore_l1_history_check: true`",
    ),
    (
        r"[Ff]ailed to parse address|[Cc]annot resolve (P2P )?listening address",
        "an address is written HOST:PORT, with IPv6 hosts in brackets: [::1]:9732",
    ),
    (
        r"address already in use|EADDRINUSE|already in use|node is probably running",
        "another process has that port: choose another one, or leave it out to get a free one",
    ),
    (r"base-dir does not exist", "make the wallet first, with `tezos.generate_keys` or `copy`"),
    (r"[Ee]xec format error", "the program was built for another kind of machine"),
    (
        r"srsu_zcash|[Tt]rusted setup",
        "install the DAL trusted setup on that machine (releases before v22 do not download it themselves)",
    ),
    (r"already exists.*--force|alias .* already exists", "use another `alias`, or a wallet that does not have it yet"),
    (
        r"not among the commands|[Uu]nrecognized command",
        "the chain may not be where it is needed: activation wants genesis, operations want an active protocol",
    ),
    (
        r"no public key hash alias|no (contract or key|key or contract).* named|no \S+ alias named",
        "name an alias of that wallet (`octez-client --base-dir WALLET list known addresses` lists them) or an address",
    ),
    (
        r"[Ii]nvalid protocol parameters",
        "make it with `tezos.generate_protocol_parameters_file` from a `base_file` of the same release and protocol",
    ),
    (
        r"[Ii]nvalid signature|[Ii]nvalid_signature|signature is invalid|genesis key",
        "only the key of the network's genesis activates a protocol, and the public one of sandboxes is the sandbox's: "
        "start the node with `network: sandbox` (up to v22 `dal_cryptobox_parameters` puts the sandbox in the place of "
        "any network; from v23 on the network stays)",
    ),
    (
        r"[Ii]nvalid_slot_index|[Ss]lot index \(\d+\) should be smaller",
        "slots are counted from 0, and the chain's `number_of_slots` says how many there are",
    ),
    (
        r"[Cc]annot_publish_on_slot_index|[Cc]annot publish on slot index",
        "the DAL node publishes only what its `producer_profiles` hold",
    ),
    (r"slot_too_large|[Ss]lot.* too large", "the payload has to fit the chain's `slot_size`"),
    (
        r"invalid value .*network|[Uu]nknown network|not a known network",
        "`network` is a built-in name, the URL of a network's description, or a file",
    ),
    (r"balance.*too low|[Ee]mpty implicit contract|insufficient", "the source needs more tez on this chain"),
)
"""What to do about a message; the first that is found in it counts."""


def explanation(text: str, log: str = "") -> str:
    """Give the program's own message out of its output: what follows its last `Error:`, else its last line.

    Where that only says that a configuration is invalid, it is what the program found wrong, there or in its log.
    """
    lines = [line.strip() for line in text.replace("\r", "").split("\n")]
    lines = [line for line in lines if not _ADVICE.match(line)]
    for index in range(len(lines) - 1, -1, -1):
        found = _OPENING.search(lines[index])
        if found is not None:
            said = [found.group(1), *lines[index + 1 :]]
            break
    else:
        said = [line for line in lines if line][-1:]
    message = " ".join(part for part in said if part)
    if "configuration is invalid" in message:
        faults = [found.group(0) for found in map(_FAULT.search, [*log.split("\n"), *lines]) if found is not None]
        message = "; ".join(dict.fromkeys(faults)) or message
    return beginning(message, MESSAGE_CHARACTERS)


def hint_for(message: str) -> str:
    """Give what can be done about a message; empty when nothing is known."""
    return next((hint for pattern, hint in HINTS if re.search(pattern, message)), "")


def refused(program: str, exit_code: int, argv: Sequence[str], stdout: str, stderr: str) -> ProcedureFailed:
    """Make the error of a program that ran to an end other than success."""
    said = explanation(stderr, stdout) or explanation(stdout)
    if said.startswith(program + ": "):
        said = said[len(program) + 2 :]
    lines: List[str] = (stderr or stdout).splitlines()[-20:]
    detail: Any = {"exit_code": exit_code, "argv": list(argv), "last_lines": lines}
    return ProcedureFailed(
        "%s: %s" % (program, said or "ended with exit status %d, saying nothing" % exit_code),
        kind="exit",
        hint=hint_for("\n".join([said, *lines])),
        **detail,
    )


def died(name: str, exit_code: Any, lines: Sequence[str]) -> ProcedureFailed:
    """Make the error of a daemon that ended before it was ready."""
    said = explanation("\n".join(lines))
    return ProcedureFailed(
        "%s ended before it was ready (exit status %s)%s" % (name, exit_code, ": " + said if said else ""),
        kind="exit",
        hint=hint_for("\n".join(lines)),
        exit_code=exit_code,
        last_lines=list(lines),
    )
