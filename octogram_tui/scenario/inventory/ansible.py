"""Ansible's hosts as agents: what `ansible-inventory --list` and dynamic inventories print, and what of it counts here.

Names lose their dots and colons, which agents' names cannot have. Groups are the label `group`; what is not
Ansible's own among a host's variables becomes a label. What cannot be honoured is said, whatever it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from octogram_tui.scenario.exposure import names_a_secret
from octogram_tui.scenario.forms import shown
from octogram_tui.scenario.inventory.found import Doubts, Found, Unclear
from octogram_tui.scenario.inventory.groups import Groups
from octogram_tui.template.text import text_of

MAX_LABEL_CHARACTERS = 1000

# Which variables say a thing; of several the last counts, as it does in Ansible.
_CONNECTION: dict[str, tuple[str, ...]] = {
    "address": ("ansible_host", "ansible_ssh_host"),
    "port": ("ansible_port", "ansible_ssh_port"),
    "user": ("ansible_user", "ansible_ssh_user"),
    "identity": ("ansible_private_key_file", "ansible_ssh_private_key_file"),
    "python": ("ansible_python_interpreter",),
    "connection": ("ansible_connection",),
    "namespace": ("ansible_kubectl_namespace",),
    "pod": ("ansible_kubectl_pod",),
    "container": ("ansible_kubectl_container",),
    "context": ("ansible_kubectl_context",),
    "kubeconfig": ("ansible_kubectl_config", "ansible_kubectl_kubeconfig"),
}
_MEANS = frozenset(variable for variables in _CONNECTION.values() for variable in variables)
_OF_KUBECTL = ("kubeconfig", "context", "namespace", "container")
_SSH = ("ssh", "smart", "paramiko", "paramiko_ssh", "")
_OUR_PYTHON = re.compile(r"auto.*|\{\{-?\s*ansible_playbook_python\s*-?\}\}")
"""Interpreters that leave the choice to whoever connects; the template is how inventories write the local machine's."""
_CONTAINERS = ("docker", "podman")
_COLLECTION = re.compile(
    r"^(?:ansible\.builtin|community\.(?:docker|general|okd)|containers\.podman|kubernetes\.core)\."
)
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]*")
_SECRET = re.compile(
    r"^vault_|(?:^|_)(?:pass(?:wd|word|phrase)?s?|pw|secrets?|tokens?|credentials?)(?:_|$)|(?:api|access|private)_?keys?(?:_|$)",
    re.IGNORECASE,
)
"""Names of what nobody should read: more of them than in a scenario, as what a vault hides is listed in the clear."""
_SECRET_TEXT = re.compile(r"://[^/\s:@]*:[^/\s@]+@|-----BEGIN [A-Z ]*PRIVATE KEY")
_HINTS = (
    (re.compile(r"_(?:pass|password|passphrase)$"), "log in with a key: passwords are neither taken nor kept"),
    (
        re.compile(r"^ansible_(?:ssh|sftp|scp)_"),
        "write it for these machines into ~/.ssh/config, or a file for --ssh-config",
    ),
    (re.compile(r"^ansible_become"), "an agent is the user that logs in: give that one, or use `sudo` in its jobs"),
)
_BY_COMMAND = "where a command reaches such a machine, write an agent with `transport: command`"
_AS_SECRET = "write under `secrets` of the scenario where a value comes from, as `NAME: {env: VARIABLE}`"
_OTHERWISE = "docs/inventories.md lists the variables that count"


def looks_like(listing: Mapping[str, Any]) -> bool:
    """Tell whether a map of JSON is a listing of groups and hosts."""
    return "_meta" in listing or (
        may_be(listing)
        and any(isinstance(each, dict) and each.keys() & {"hosts", "children", "vars"} for each in listing.values())
    )


def may_be(listing: Mapping[str, Any]) -> bool:
    """Tell whether what a program prints can be one: groups may be nothing but lists of hosts there."""
    return any(listing.values()) and all(each is None or isinstance(each, (dict, list)) for each in listing.values())


def is_listing(listing: Mapping[str, Any]) -> bool:
    """Tell whether it is what a program prints, in which names are lists; a file of YAML's shape has maps of them."""
    groups = [each for name, each in listing.items() if name != "_meta"]
    names = [each.get(key) for each in groups if isinstance(each, dict) for key in ("hosts", "children")]
    return "_meta" in listing or any(isinstance(each, list) for each in (*groups, *names))


def hosts_of(listing: Mapping[str, Any]) -> list[str]:
    """Name the hosts of a listing. Raises Unclear."""
    return list(Groups(listing).hosts)


def agents_of(listing: Mapping[str, Any]) -> Found:
    """Make agents of a listing, in its order of hosts. Raises Unclear."""
    groups = Groups(listing)
    doubts = Doubts()
    agents: list[dict[str, Any]] = []
    names: dict[str, str] = {}
    meta = listing.get("_meta") or {}
    variables_of = meta.get("hostvars") or {} if isinstance(meta, dict) else None
    if not isinstance(variables_of, dict):
        raise Unclear("`_meta.hostvars` is no map of hosts and their variables")
    for host in groups.hosts:
        own = variables_of.get(host) or {}
        if not isinstance(own, dict):
            raise Unclear(f"the variables of host `{shown(host)}` are no map")
        agent = _agent(host, {**groups.variables(host), **own}, groups.of(host), doubts)
        if agent is None:
            continue
        before = names.setdefault(agent["name"], host)
        if before != host:
            raise Unclear(
                f"hosts `{shown(before)}` and `{shown(host)}` would both be agent `{agent['name']}`",
                "agents' names have no dots: name one of the hosts otherwise, and give its `ansible_host`",
            )
        agents.append(agent)
    for host in variables_of:
        if host not in groups.hosts:
            doubts.add("", "in no group, and left out", host, "add them to a group")
    return Found(agents, doubts.told())


def _agent(host: str, variables: Mapping[str, Any], groups: list[str], doubts: Doubts) -> dict[str, Any] | None:
    """Make an agent of a host; None, with a doubt, for one of a kind on which no agent can be."""
    if not _NAME.fullmatch(host):
        hint = "a host's name has letters, digits, `-`, `_`, `.` and `:`; its address is `ansible_host`"
        raise Unclear(f"host `{shown(host)}` cannot be an agent", hint)
    kind = _COLLECTION.sub("", str(_said(host, "ansible_connection", variables.get("ansible_connection")) or ""))
    if kind not in (*_SSH, *_CONTAINERS, "local", "kubectl"):
        doubts.add("", f"left out: no agent is reached by `ansible_connection: {shown(kind)}`", host, _BY_COMMAND)
        return None
    said: dict[str, Any] = {}
    for key, means in _CONNECTION.items():
        for name in means:
            if variables.get(name) is not None and not (
                key == "python" and _OUR_PYTHON.fullmatch(str(variables[name]))
            ):
                said[key] = _said(host, name, variables[name])
    labels: dict[str, Any] = {}
    for name, value in variables.items():
        if name in _MEANS:
            continue
        if name.startswith("ansible_"):
            doubts.add(name, "not honoured", host, _hint(name))
        elif (label := _label(host, name, value, doubts)) is not None:
            labels[name] = label
    for reserved, value in (("group", groups), ("inventory_hostname", host)):
        if reserved in labels:
            doubts.add(reserved, "left out: the label means something else", host)
        labels[reserved] = value
    agent = {"name": re.sub("[.:]", "_", host), **_way(host, kind, said), "labels": labels}
    if python := said.get("python"):
        agent["python"] = python
    return agent


def _way(host: str, kind: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """Say how a host is reached. Raises Unclear for what would become something else on the way."""
    address = str(said.get("address") or host)
    if "{" in address:
        raise Unclear(f"the address of host `{shown(host)}` holds a brace: `{shown(address)}`")
    if kind in _SSH:
        ways = {key: said[key] for key in ("port", "user", "identity") if said.get(key) not in (None, "")}
        explicit = {"transport": "ssh"} if said.get("connection") else {}  # else the scenario's `defaults` may say it
        return {**explicit, "address": address, **ways}
    if kind == "local":
        return {"transport": "local"}
    user = ["-u", str(said["user"])] if said.get("user") else []
    name = str(said.get("pod") or address) if kind == "kubectl" else address
    flags = [f"--{key}={said[key]}" for key in _OF_KUBECTL if said.get(key)] if kind == "kubectl" else user
    if name.startswith("-"):
        raise Unclear(f"the container of host `{shown(host)}` begins with `-`, as options do: `{shown(name)}`")
    for word in (name, *flags):
        if "{" in word:
            raise Unclear(f"the way to host `{shown(host)}` holds a brace: `{shown(word)}`")
    return {
        "transport": "command",
        "command": [kind, "exec", "-i", *flags, name, *(["--"] if kind == "kubectl" else [])],
    }


def _said(host: str, name: str, value: Any) -> Any:
    """Give what a variable says of the way to a host. Raises Unclear where that is not known here."""
    value = _bare(value)
    if isinstance(value, dict) and "__ansible_vault" in value:
        raise Unclear(
            f"`{name}` of host `{shown(host)}` is encrypted",
            "let ansible-inventory decrypt it (ANSIBLE_VAULT_PASSWORD_FILE), or leave it to the ssh configuration",
        )
    if isinstance(value, (dict, list)):
        raise Unclear(f"`{name}` of host `{shown(host)}` is no text")
    if isinstance(value, str) and ("{{" in value or "{%" in value):
        hint = "ansible-inventory does not expand templates: write what it stands for"
        raise Unclear(f"`{name}` of host `{shown(host)}` is a template: `{shown(value)}`", hint)
    return value


def _label(host: str, name: str, value: Any, doubts: Doubts) -> str | list[str] | None:
    """Give a variable as a label; None, with a doubt, for what cannot be one."""
    is_unsafe = isinstance(value, dict) and value.keys() == {"__ansible_unsafe"}
    value = _bare(value)
    if value is None:
        return None
    if isinstance(value, dict) and "__ansible_vault" in value:
        doubts.add(name, "encrypted, and left out", host, _AS_SECRET)
        return None
    parts = [_bare(part) for part in value] if isinstance(value, list) else [value]
    if any(isinstance(part, (dict, list)) or part is None for part in parts):
        doubts.add(name, "left out: labels are texts, or lists of them", host)
        return None
    texts = [text_of(part) for part in parts]
    if names_a_secret(name) or _SECRET.search(name) or any(map(_SECRET_TEXT.search, texts)):
        doubts.add(name, "left out: a label is no place for a secret", host, _AS_SECRET)
    elif not is_unsafe and any("{{" in text or "{%" in text for text in texts):
        doubts.add(name, "left out: ansible-inventory does not expand templates", host)
    elif sum(len(text) + 1 for text in texts) > MAX_LABEL_CHARACTERS + 1:
        doubts.add(name, f"left out: more than {MAX_LABEL_CHARACTERS} characters", host)
    else:
        return texts if isinstance(value, list) else texts[0]
    return None


def _bare(value: Any) -> Any:
    return value["__ansible_unsafe"] if isinstance(value, dict) and value.keys() == {"__ansible_unsafe"} else value


def _hint(name: str) -> str:
    return next((hint for pattern, hint in _HINTS if pattern.search(name)), _OTHERWISE)
