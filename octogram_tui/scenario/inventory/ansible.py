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
from octogram_tui.scenario.inventory.found import Doubts, Found, Unclear, count_of
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
}
_MEANS = {variable: key for key, variables in _CONNECTION.items() for variable in variables}
_OF_KUBECTL = ("namespace", "container", "context")
_SSH = ("ssh", "smart", "paramiko", "paramiko_ssh", "")
_CONTAINERS = ("docker", "podman")
_COLLECTION = re.compile(
    r"^(?:ansible\.builtin|community\.(?:docker|general|okd)|containers\.podman|kubernetes\.core)\."
)
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]*")
_HINTS = (
    (re.compile(r"_(?:pass|password|passphrase)$"), "log in with a key: passwords are neither taken nor kept"),
    (
        re.compile(r"^ansible_(?:ssh|sftp|scp)_"),
        "write it for these machines into ~/.ssh/config, or a file for --ssh-config",
    ),
    (re.compile(r"^ansible_become"), "an agent is the user that logs in: give that one, or use `sudo` in its jobs"),
)
_OTHERWISE = "docs/inventories.md lists the variables that count"


def looks_like(listing: Mapping[str, Any]) -> bool:
    """Tell whether a map of JSON is a listing of groups and hosts."""
    return "_meta" in listing or (
        may_be(listing)
        and any(isinstance(each, dict) and each.keys() & {"hosts", "children", "vars"} for each in listing.values())
    )


def may_be(listing: Mapping[str, Any]) -> bool:
    """Tell whether what a program prints can be one: groups may be nothing but lists of hosts there."""
    return bool(listing) and all(isinstance(each, (dict, list)) for each in listing.values())


def is_listing(listing: Mapping[str, Any]) -> bool:
    """Tell whether it is what a program prints, in which hosts are lists; a file of YAML's shape has maps of them."""
    groups = [each for name, each in listing.items() if name != "_meta" and isinstance(each, dict)]
    return "_meta" in listing or not any(isinstance(each.get("hosts"), dict) for each in groups)


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
        before = names.setdefault(agent["name"], host)
        if before != host:
            raise Unclear(
                f"hosts `{shown(before)}` and `{shown(host)}` would both be agent `{agent['name']}`",
                "agents' names have no dots: name one of the hosts otherwise, and give its `ansible_host`",
            )
        agents.append(agent)
    alone = [host for host in variables_of if host not in groups.hosts]
    if alone:
        doubts.add_text(f"{count_of(alone)} in no group, and left out", "add them to a group")
    return Found(agents, doubts.told())


def _agent(host: str, variables: Mapping[str, Any], groups: list[str], doubts: Doubts) -> dict[str, Any]:
    if not _NAME.fullmatch(host):
        hint = "a host's name has letters, digits, `-`, `_`, `.` and `:`; its address is `ansible_host`"
        raise Unclear(f"host `{shown(host)}` cannot be an agent", hint)
    said: dict[str, Any] = {}
    labels: dict[str, Any] = {}
    for name, value in variables.items():
        if name in _MEANS:
            said[_MEANS[name]] = _said(host, name, value)
        elif name.startswith("ansible_"):
            doubts.add(f"`{shown(name)}` of {{}} is not honoured", host, _hint(name))
        elif (label := _label(host, name, value, doubts)) is not None:
            labels[name] = label
    for reserved, value in (("group", groups), ("inventory_hostname", host)):
        if reserved in labels:
            doubts.add(f"the variable `{reserved}` of {{}} is left out: the label means something else", host)
        labels[reserved] = value
    agent = {"name": re.sub("[.:]", "_", host), **_way(host, said), "labels": labels}
    if (python := said.get("python")) and not str(python).startswith("auto"):
        agent["python"] = python
    return agent


def _way(host: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """Say how a host is reached. Raises Unclear for what cannot be."""
    kind = _COLLECTION.sub("", str(said.get("connection") or ""))
    address = str(said.get("address") or host)
    if "{" in address:
        raise Unclear(f"the address of host `{shown(host)}` holds a brace: `{shown(address)}`")
    if kind in _SSH:
        ways = {key: said[key] for key in ("port", "user", "identity") if said.get(key) not in (None, "")}
        return {"address": address, **ways}
    if kind == "local":
        return {"transport": "local"}
    user = ["-u", str(said["user"])] if said.get("user") else []
    if kind in _CONTAINERS:
        return {"transport": "command", "command": [kind, "exec", "-i", *user, address]}
    if kind == "kubectl":
        flags = [f"--{key}={said[key]}" for key in _OF_KUBECTL if said.get(key)]
        pod = str(said.get("pod") or address)
        return {"transport": "command", "command": ["kubectl", "exec", "-i", *flags, pod, "--"]}
    raise Unclear(
        f"`ansible_connection` of host `{shown(host)}` is `{shown(kind)}`, by which no agent is reached",
        "ssh, local, docker, podman and kubectl are understood; for others write an agent with `transport: command`",
    )


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
        doubts.add(f"`{shown(name)}` of {{}} is encrypted, and left out", host, _ask_secret(name))
        return None
    if names_a_secret(name):
        doubts.add(f"`{shown(name)}` of {{}} is left out: a label is no place for a secret", host, _ask_secret(name))
        return None
    parts = [_bare(part) for part in value] if isinstance(value, list) else [value]
    if any(isinstance(part, (dict, list)) or part is None for part in parts):
        doubts.add(f"`{shown(name)}` of {{}} is left out: labels are texts, or lists of them", host)
        return None
    texts = [text_of(part) for part in parts]
    if not is_unsafe and any("{{" in text or "{%" in text for text in texts):
        doubts.add(f"`{shown(name)}` of {{}} is left out: ansible-inventory does not expand templates", host)
        return None
    if sum(map(len, texts)) > MAX_LABEL_CHARACTERS:
        doubts.add(f"`{shown(name)}` of {{}} is left out: it has more than {MAX_LABEL_CHARACTERS} characters", host)
        return None
    return texts if isinstance(value, list) else texts[0]


def _bare(value: Any) -> Any:
    return value["__ansible_unsafe"] if isinstance(value, dict) and value.keys() == {"__ansible_unsafe"} else value


def _ask_secret(name: str) -> str:
    return f"write under `secrets` of the scenario where its value comes from, as `{shown(name)}: {{env: NAME}}`"


def _hint(name: str) -> str:
    return next((hint for pattern, hint in _HINTS if pattern.search(name)), _OTHERWISE)
