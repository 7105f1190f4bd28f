"""Reads agents: one by one, as ranges spread over machines, with what they have in common."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any

from octogram_tui.model.ids import AgentName
from octogram_tui.model.scenario import AgentSpec
from octogram_tui.scenario.forms import command, local_path, path, shown, variable_name, word, words
from octogram_tui.scenario.hosts import address_problem, user_problem
from octogram_tui.scenario.keys import KeyReader
from octogram_tui.scenario.shapes import AGENT, RESERVED_NAMES
from octogram_tui.scenario.tree import MapNode, Mark

MAX_AGENTS = 10_000
MAX_NAME_CHARACTERS = 200  # each agent has directories of its name
_NAME = re.compile(r"[a-zA-Z0-9_-]+")
_RANGE = re.compile(r"\{([0-9]{1,9})\.\.([0-9]{1,9})\}")
_DEFAULTS = {key: declared._replace(required=False) for key, declared in AGENT.items() if key != "name"}


def read_defaults(keys: KeyReader, node: MapNode) -> dict[str, Any]:
    """Read what agents have in common."""
    keys.check_known(node, _DEFAULTS, "`defaults`")
    return _settings(keys, node)


def read_agent(keys: KeyReader, value: Any, place: Mark, defaults: Mapping[str, Any]) -> list[AgentSpec]:
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
    name_place = value.marks["name"][1]
    names = spread(name)
    if names is None:
        keys.findings.error(name_place, f"`{name}` stands for more than {MAX_AGENTS} agents")
        return []
    transport = settings.get("transport", "ssh")
    addresses = settings.pop("address", [])
    data_addresses = settings.pop("data_address", [])
    if transport == "slurm" and value.get("address") is not None:
        hint = "leave `address` out; where the others reach it, `data_address` says"
        keys.findings.error(value.key_place("address"), f"agent `{name}` has an `address`, and Slurm places it", hint)
    if not addresses and transport == "ssh":
        hint = "give `address`, or `transport: local` to run the agent on this machine"
        keys.findings.error(value.place, f"agent `{name}` has no address", hint)
    argv = settings.pop("command", ())
    if transport == "command" and not argv:
        hint = "give the argv that reaches the machine: command: [docker, exec, -i, '{name}']"
        keys.findings.error(value.place, f"agent `{name}` has `transport: command` and no `command`", hint)
    if addresses and data_addresses and len(addresses) != len(data_addresses):
        place = value.key_place("data_address") if "data_address" in value else value.place
        message = f"agent `{name}` has {len(data_addresses)} `data_address` for {len(addresses)} `address`"
        keys.findings.error(place, message, "give one for each machine, in the order of `address`")
    mark = keys.findings.mark(value.mark)
    result = []
    for index, each in enumerate(names):
        if not check_name(keys, each, name_place):
            break
        address = addresses[index % len(addresses)] if addresses else ""
        settings["data_address"] = data_addresses[index % len(data_addresses)] if data_addresses else ""
        reach = tuple(w.replace("{name}", each).replace("{address}", address) for w in argv)
        result.append(AgentSpec(AgentName(each), address, command=reach, mark=mark, **settings))
    return result


def check_name(keys: KeyReader, name: str, place: Mark) -> bool:
    """Tell whether a word can name an agent, and report it when it cannot."""
    if len(name) > MAX_NAME_CHARACTERS:
        message = f"`{shown(name)}` cannot be an agent's name: it has {len(name)} characters"
        keys.findings.error(place, message, f"a name has at most {MAX_NAME_CHARACTERS}")
        return False
    if name.startswith("-"):
        keys.findings.error(
            place, f"`{shown(name)}` cannot be an agent's name: options begin with `-`", "begin it with a letter"
        )
        return False
    if not _NAME.fullmatch(name):
        hint = "names have letters, digits, `-` and `_`"
        keys.findings.error(place, f"`{shown(name)}` cannot be an agent's name", hint)
        return False
    if name in RESERVED_NAMES:
        hint = f"{', '.join(RESERVED_NAMES)} mean something in URIs"
        keys.findings.error(place, f"`{name}` cannot be an agent's name", hint)
        return False
    return True


def spread(text: str) -> list[str] | None:
    """Give the words that `{A..B}` stands for, numbers with leading zeros keeping their width; None: too many."""
    found = _RANGE.search(text) if "{" in text else None
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
        if key in ("address", "data_address"):
            result[key] = _addresses(keys, node, key)
        elif key in ("user", "python"):
            result[key] = read_checked(keys, node, key, user_problem if key == "user" else interpreter)
        elif key == "identity":
            result[key] = read_identity(keys, node)
        elif key == "port":
            result[key] = keys.integer(node, key, AGENT[key])
        elif key == "transport":
            result[key] = keys.choice(node, key, AGENT[key], "ssh")
        elif key == "command":
            result[key] = _argv(keys, node)
        elif key == "env":
            result[key] = keys.string_map(node, key)
        elif key == "labels":
            result[key] = keys.strings_map(node, key)
    for name, text in result.get("env", {}).items():
        flaw = variable_name(name) or word(text)
        if flaw is not None:
            keys.findings.error(node["env"].key_place(name), f"`env.{shown(name)}` {flaw.what}", flaw.instead)
    return result


def _addresses(keys: KeyReader, node: MapNode, key: str) -> list[str]:
    """Read the machines, ranges spread; one that cannot be is reported, and is there all the same."""
    result = []
    for written, place in keys.words(node, key):
        spread_out = spread(written)
        if spread_out is None:
            keys.findings.error(place, f"`{shown(written)}` stands for more than {MAX_AGENTS} machines")
            result.append(written)
            continue
        for address in spread_out or [written]:
            problem = address_problem(address)
            result.append(address)
            if problem is not None:
                keys.findings.error(place, f"`{key}` {problem[0]}: `{shown(address)}`", problem[1])
                break
    return result


def read_checked(
    keys: KeyReader, node: MapNode, key: str, problem_of: Callable[[str], tuple[str, str] | None]
) -> str | None:
    """Read a word; what is wrong with it is reported, and it is there all the same."""
    text = keys.word(node, key)
    problem = None if text is None else problem_of(text)
    if problem is not None:
        keys.findings.error(node.value_place(key), f"`{key}` {problem[0]}: `{shown(text or '')}`", problem[1])
    return text


def interpreter(text: str) -> tuple[str, str] | None:
    """Say why a text names no interpreter."""
    return path(text.removeprefix("~/")) if text else ("is empty", "leave it out to have the first one that exists")


def read_identity(keys: KeyReader, node: MapNode) -> str | None:
    """Read the path of a private key. That it is not here is only doubtful: a check may run on another machine."""
    written = keys.word(node, "identity")
    if written is None:
        return None
    place = node.value_place("identity")
    identity = os.path.expanduser(written)
    flaw = local_path(identity)
    if flaw is not None:
        keys.findings.error(place, f"`identity` {flaw.what}", flaw.instead)
    elif identity.endswith(".pub"):
        hint = f"write the private key: `{written.removesuffix('.pub')}`"
        keys.findings.error(place, f"`identity` is a public key: `{shown(written)}`", hint)
    elif not os.path.isfile(identity):
        what = "is a directory" if os.path.isdir(identity) else "does not exist on this machine"
        hint = "write the path of a private key, or leave it out to have those of the ssh configuration"
        message = f"`identity` {what}: `{shown(written)}`"
        if not any(problem.message == message for problem in keys.findings.problems):  # agents share their keys
            keys.findings.warning(place, message, hint)
    return identity


def _argv(keys: KeyReader, node: MapNode) -> tuple[str, ...]:
    """Read what reaches a machine. Without any words the agent itself is reported."""
    given = node["command"]
    if given is None or given == "":
        return ()
    if isinstance(given, str):
        flaw = command(given)
        found = shlex.split(given) if flaw is None else [given]
    else:
        found = [each for each, _ in keys.words(node, "command")]
        flaw = words(found) if found else None
    if flaw is not None:
        keys.findings.error(node.value_place("command"), f"`command` {flaw.what}", flaw.instead)
    elif "exec" in found:
        from octogram_tui.scenario.containers import doubt_of

        doubt = doubt_of(found)
        if doubt is not None:
            keys.findings.warning(node.value_place("command"), *doubt)
    return tuple(found)
