"""Reads agents: one by one, as ranges spread over machines, with what they have in common."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from typing import Any

from octogram_tui.model.ids import AgentName
from octogram_tui.model.scenario import AgentSpec
from octogram_tui.scenario.keys import KeyReader
from octogram_tui.scenario.shapes import AGENT, RESERVED_NAMES
from octogram_tui.scenario.tree import MapNode, Place

MAX_AGENTS = 10_000
_NAME = re.compile(r"[a-zA-Z0-9_-]+")
_RANGE = re.compile(r"\{([0-9]{1,9})\.\.([0-9]{1,9})\}")
_DEFAULTS = {key: declared._replace(required=False) for key, declared in AGENT.items() if key != "name"}


def read_defaults(keys: KeyReader, node: MapNode) -> dict[str, Any]:
    """Read what agents have in common."""
    keys.check_known(node, _DEFAULTS, "`defaults`")
    return _settings(keys, node)


def read_agent(keys: KeyReader, value: Any, place: Place, defaults: Mapping[str, Any]) -> list[AgentSpec]:
    """Read one entry of `agents`: one agent, or those of a range."""
    if not keys.is_map(value, place, "an agent"):
        return []
    keys.check_known(value, AGENT, "an agent")
    name = keys.word(value, "name")
    settings = {**defaults, **_settings(keys, value)}
    for key in ("env", "labels"):
        if key in defaults and key in value:
            settings[key] = {**defaults[key], **settings[key]}
    if name is None:
        return []
    name_place = value.value_place("name")
    names = spread(name)
    if names is None:
        keys.findings.error(name_place, f"`{name}` stands for more than {MAX_AGENTS} agents")
        return []
    transport = settings.get("transport", "ssh")
    addresses = [a for address in settings.pop("address", []) for a in spread(address) or [address]]
    if not addresses and transport == "ssh":
        hint = "give `address`, or `transport: local` to run the agent on this machine"
        keys.findings.error(value.place, f"agent `{name}` has no address", hint)
    command = settings.pop("command", ())
    if transport == "command" and not command:
        hint = "give the argv that reaches the machine: command: [docker, exec, -i, '{name}']"
        keys.findings.error(value.place, f"agent `{name}` has `transport: command` and no `command`", hint)
    mark = keys.findings.mark(value.place)
    result = []
    for index, each in enumerate(names):
        if not check_name(keys, each, name_place):
            break
        address = addresses[index % len(addresses)] if addresses else ""
        words = tuple(w.replace("{name}", each).replace("{address}", address) for w in command)
        result.append(AgentSpec(AgentName(each), address, command=words, mark=mark, **settings))
    return result


def check_name(keys: KeyReader, name: str, place: Place) -> bool:
    """Tell whether a word can name an agent, and report it when it cannot."""
    if not _NAME.fullmatch(name):
        hint = "names have letters, digits, `-` and `_`"
        keys.findings.error(place, f"`{name}` cannot be an agent's name", hint)
        return False
    if name in RESERVED_NAMES:
        hint = f"{', '.join(RESERVED_NAMES)} mean something in URIs"
        keys.findings.error(place, f"`{name}` cannot be an agent's name", hint)
        return False
    return True


def spread(text: str) -> list[str] | None:
    """Give the words that `{A..B}` stands for, numbers with leading zeros keeping their width; None: too many."""
    found = _RANGE.search(text)
    if found is None:
        return [text]
    first, last = int(found[1]), int(found[2])
    if last - first >= MAX_AGENTS:
        return None
    width = len(found[1]) if found[1].startswith("0") else 0
    rest = spread(text[found.end() :])
    if rest is None or (last - first + 1) * len(rest) > MAX_AGENTS:
        return None
    return [f"{text[: found.start()]}{number:0{width}}{tail}" for number in range(first, last + 1) for tail in rest]


def _settings(keys: KeyReader, node: MapNode) -> dict[str, Any]:
    """Read what an agent and `defaults` share; only what is given."""
    result: dict[str, Any] = {}
    for key in node:
        if key == "address":
            result[key] = [address for address, _ in keys.words(node, key)]
        elif key in ("user", "python"):
            result[key] = keys.word(node, key)
        elif key == "identity":
            identity = keys.word(node, key)
            result[key] = None if identity is None else os.path.expanduser(identity)
        elif key == "port":
            result[key] = keys.integer(node, key, AGENT[key])
        elif key == "transport":
            result[key] = keys.choice(node, key, AGENT[key], "ssh")
        elif key == "command":
            result[key] = _argv(keys, node)
        elif key in ("env", "labels"):
            result[key] = keys.string_map(node, key)
    return result


def _argv(keys: KeyReader, node: MapNode) -> tuple[str, ...]:
    if not isinstance(node["command"], str):
        return tuple(word for word, _ in keys.words(node, "command"))
    try:
        return tuple(shlex.split(node["command"]))
    except ValueError as error:
        keys.findings.error(node.value_place("command"), f"`command` cannot be split into words: {error}")
        return ()
