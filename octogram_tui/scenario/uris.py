"""URI arguments: `self://NAME`, `AGENT://NAME`, `http(s)://…`; a bare path is not one. Pure text."""

from __future__ import annotations

import re
from collections.abc import Iterable

from octogram_agentd.network.endpoint import cut
from octogram_tui.scenario.findings import suggestion
from octogram_tui.scenario.forms import endpoint, ends_in_line_break, peer, shown, url, word

_OWNER = re.compile(r"[a-zA-Z0-9_-]+")


def uri_problem(uri: str, kind: str, agents: Iterable[str] | None = None) -> tuple[str, str] | None:
    """Say what is wrong with a URI, and what to do; None when nothing is. `agents` None: any agent may exist."""
    flaw = word(uri) or ends_in_line_break(uri)
    if flaw is not None:
        return f"it {flaw.what}", flaw.instead
    scheme, separator, name = uri.partition("://")
    if not separator:
        # A host and a port were an endpoint for the original, and still are; a peer is nothing else.
        if kind.endswith("_peer"):
            flaw = peer(uri)
            return flaw and (f"it {flaw.what}", flaw.instead)
        where = uri.partition("/")[0]
        if cut(where)[1].isdigit():
            flaw = endpoint(where)
            return flaw and (f"it {flaw.what}", flaw.instead)
        return (
            f"`{shown(uri)}` is neither a URL nor something that an agent owns",
            f"write self://{shown(uri) or 'PATH'} for what the job's own agent has,"
            f" AGENT://{shown(uri) or 'PATH'} for another's",
        )
    if scheme in ("http", "https"):
        if not name:
            return f"`{shown(uri)}` names no machine", "write http://HOST:PORT/PATH"
        flaw = url(uri)
        return flaw and (f"it {flaw.what}", flaw.instead)
    problem = owner_problem(scheme, agents)
    if problem is None and not name:
        return f"`{uri}` names nothing", f"write {scheme}://NAME"
    return problem


def owner_problem(owner: str, agents: Iterable[str] | None) -> tuple[str, str] | None:
    """Say what is wrong with the part before `://`."""
    if owner == "self":
        return None
    if not _OWNER.fullmatch(owner):
        return f"`{shown(owner)}` is no agent's name", "names have letters, digits, `-` and `_`"
    if agents is None:
        return None
    known = list(agents)
    if owner in known:
        return None
    names = ", ".join(known[:8]) + (", …" if len(known) > 8 else "")
    hint = f"the agents are {names}; the other schemes are http and https" if known else "there are no agents"
    return f"there is no agent `{shown(owner)}`{suggestion(owner, ['self', *known])}", hint


def literal_owner(template: str) -> str | None:
    """Give the owner that a template names literally before its first expression; None when it is computed."""
    head = template.split("{", 1)[0]
    owner, separator, _ = head.partition("://")
    return owner if separator and owner not in ("http", "https") else None
