"""Reads a list of agents from wherever it is: tells what it is, asks whom it has to, and makes a document of it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import Any

from octogram_tui.cuts import beginning
from octogram_tui.errors import ScenarioError
from octogram_tui.scenario.documents import ASK_HINT, EXTENSIONS, ReadFile, read_document, read_text, refusal
from octogram_tui.scenario.findings import Findings, suggestion
from octogram_tui.scenario.inventory import ansible, kept, terraform
from octogram_tui.scenario.inventory.asking import Deadline, ask, shown_line
from octogram_tui.scenario.inventory.found import Found, Unclear
from octogram_tui.scenario.inventory.source import Source, is_program
from octogram_tui.scenario.tree import Document, ListNode, MapNode, plain

MOST_WARNINGS = 5
_ANSIBLE_ENV = {"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true", "ANSIBLE_NOCOLOR": "1", "ANSIBLE_FORCE_COLOR": "0"}
_GROUPS = re.compile(
    r"^(?:plugin\s*:|[^\s#-][^\n]*:\s*(?:#.*)?\n(?:\s*(?:#.*)?\n)*[ \t]+(?:hosts|children|vars)\s*:)", re.M
)
_WARNING = re.compile(r"^\[(?:WARNING|DEPRECATION WARNING|ERROR)\]:\s*", re.M)
_CONSTANTS = {"NaN", "Infinity", "-Infinity"}

_asked: dict[str, tuple[tuple[Any, ...], Document]] = {}
"""What programs gave in this process, by key: they are asked again when their files are others, not for each edit."""


_begun: dict[str, str] = {}
"""The lists that a run was begun with which goes on in this process, by key, as they were kept."""


def go_by(texts: Mapping[str, str]) -> None:
    """Go by the lists of a run that is gone on with: nobody is asked again what it knows, unless a file is another."""
    _begun.update((key, text) for key, text in texts.items() if kept.is_kept(text))


def read_agents(source: Source, read_file: ReadFile | None = None, *, may_ask: bool = True) -> Document:
    """Give the document of a list of agents. may_ask: whether programs may be run for it.

    read_file: gives what is kept of a run, in place of the disk. Raises ScenarioError.
    """
    key = source.key
    if read_file is not None:
        text = read_text(key, read_file)
        return kept.read(key, text) if kept.is_kept(text) else read_document(key, lambda _: text)
    path = source.path
    if not source.kind and not os.path.isdir(path) and not is_program(path):
        return _of_file(source, may_ask)
    return _of_program(source, may_ask)


def _of_file(source: Source, may_ask: bool) -> Document:
    path, key = source.path, source.key
    if key in _begun and not os.path.exists(path):
        return kept.read(key, _begun[key])
    if os.path.splitext(path)[1].lower() not in EXTENSIONS:
        if not path:
            raise refusal(key, "the path of a list of agents is empty", "write the path of a file, or leave it out")
        if "," in path and not os.path.exists(path):
            raise refusal(key, "there is no such file", f"hosts by their names are written ansible:{path}")
        if read_text(path).startswith("#!"):  # it has to be there, and to be a text
            hint = f"chmod +x {path}; or write ansible:{path} if it is an inventory"
            raise refusal(key, "this is a program, and it is not executable", hint)
        return _of_program(source._replace(kind="ansible"), may_ask, key)
    document = read_document(path)
    root = document.root
    if isinstance(root, MapNode) and not _is_ours(root):
        values = plain(root)
        if terraform.looks_like(values) or (ansible.looks_like(values) and ansible.is_listing(values)) or not values:
            if document.errors:
                raise ScenarioError(Findings(document).problems)
            return kept.document(key, _found(key, values, source.output))
        if ansible.looks_like(values) or "plugin" in root:
            return _of_program(source._replace(kind="ansible"), may_ask, key)
        if not document.errors and "agents" not in root and not suggestion(next(iter(root)), ["agents"]):
            return kept.document(key, _found(key, values, source.output))  # which says what it is not
    if document.errors and not isinstance(root, ListNode) and _GROUPS.search(document.text):
        return _of_program(source._replace(kind="ansible"), may_ask, key)
    return document


def _is_ours(root: MapNode) -> bool:
    return list(root) == ["agents"] and not isinstance(root["agents"], MapNode)


def _of_program(source: Source, may_ask: bool, key: str = "") -> Document:
    """Run what it takes, unless that was done and nothing is another since."""
    key = key or source.key
    if not may_ask:
        raise refusal(
            key,
            "these agents are told by a program, and nothing that a scenario names is run here",
            ASK_HINT,
        )
    state = tuple(map(_state, source.watched()))
    known = _asked.get(key)
    if known is not None and known[0] == state:
        return known[1]
    begun = _begun.pop(key, None)
    document = kept.document(key, _asked_now(source, key)) if begun is None else kept.read(key, begun)
    _asked[key] = (state, document)
    return document


def _state(path: str) -> tuple[int, int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _asked_now(source: Source, key: str) -> Found:
    deadline = Deadline()
    path = source.path
    if source.kind in ("terraform", "tofu"):
        if not os.path.isdir(path):
            raise refusal(
                key, "there is no such directory", f"write {source.kind}:DIRECTORY, or the file of its outputs"
            )
        argv = [source.kind, f"-chdir={path}", "output", "-no-color", "-json"]
        printed, _ = ask(key, argv, deadline, {"TF_IN_AUTOMATION": "1", "TF_INPUT": "0"})
        return _found(key, _json(key, source.kind, printed), source.output, kind="terraform")
    if source.kind == "ansible" or os.path.isdir(path):
        printed, said = _ask_ansible(key, path, deadline)
        found = _found(key, _json(key, "ansible-inventory", printed), source.output, kind="ansible")
        return found._replace(doubts=[*_warnings(said), *found.doubts])
    argv = [path if os.sep in path else os.path.join(os.curdir, path)]
    leaf = os.path.basename(path)
    printed, _ = ask(key, [*argv, "--list"], deadline)
    answer = _json(key, leaf, printed)
    is_listing = isinstance(answer, dict) and ansible.may_be(answer) and not terraform.looks_like(answer)
    if is_listing and "_meta" not in answer and _ours_of(answer) is None:
        answer = {**answer, "_meta": {"hostvars": _host_by_host(key, argv, answer, deadline)}}
    return _found(key, answer, source.output)


def _ask_ansible(key: str, path: str, deadline: Deadline) -> tuple[bytes, str]:
    if "," not in path and not os.path.exists(path):
        raise refusal(key, "there is no such file", "")
    env = {name: value for name, value in _ANSIBLE_ENV.items() if name not in os.environ}
    try:
        return ask(key, ["ansible-inventory", f"--inventory={path}", "--list"], deadline, env)
    except ScenarioError as error:
        if "not installed" not in error.problems[0].message:
            raise
        raise refusal(
            key,
            "this is an inventory of Ansible, and `ansible-inventory` is not installed on this machine",
            "install ansible-core, or give what `ansible-inventory -i PATH --list` prints elsewhere, as NAME.json",
        ) from None


def _host_by_host(key: str, argv: list[str], listing: Mapping[str, Any], deadline: Deadline) -> dict[str, Any]:
    """Ask for the variables of each host, which programs do without `_meta`."""
    try:
        hosts = ansible.hosts_of(listing)
    except Unclear as unclear:
        raise refusal(key, unclear.message, unclear.hint) from None
    leaf = os.path.basename(argv[0])
    result = {}
    for host in hosts:
        printed, _ = ask(key, [*argv, "--host", host], deadline)
        result[host] = _json(key, f"{leaf} --host", printed) if printed.strip() else {}
    return result


def _found(key: str, answer: Any, output: str, *, kind: str = "") -> Found:
    """Make agents of an answer, whatever it is. output: which one is wanted, of outputs."""
    try:
        own = answer if isinstance(answer, list) else _ours_of(answer)
        if own is not None and not kind:
            return Found(own, [])
        if isinstance(answer, dict):
            if kind != "ansible" and (kind or terraform.looks_like(answer)):
                return terraform.agents_of(answer, output)
            if output:
                raise Unclear(f"there are no outputs of Terraform, and `#{output}` names one")
            if kind or ansible.looks_like(answer) or not answer:
                return ansible.agents_of(answer)
        raise Unclear(
            "this is neither a list of agents, nor Ansible's listing, nor Terraform's outputs", _way_out(answer)
        )
    except Unclear as unclear:
        raise refusal(key, unclear.message, unclear.hint) from None


def _way_out(answer: Any) -> str:
    """Say what to do about an answer that is something else."""
    if isinstance(answer, dict) and "terraform_version" in answer:
        return "it is a state or a plan of Terraform: give what `terraform output -json` prints"
    if isinstance(answer, dict) and answer and all(isinstance(each, str) for each in answer.values()):
        return "an output alone is not told from other texts: give what `terraform output -json` prints without a name"
    return "docs/inventories.md says what they look like"


def _ours_of(answer: Any) -> list[Any] | None:
    """Give the list of `{"agents": [{...}]}`; a group of Ansible's may have that name, and has names of hosts."""
    if not isinstance(answer, dict) or list(answer) != ["agents"] or not isinstance(answer["agents"], list):
        return None
    return None if any(isinstance(each, str) for each in answer["agents"]) else answer["agents"]


def _json(key: str, leaf: str, data: bytes) -> Any:
    """Read what a program printed. Raises ScenarioError."""

    def refuse(constant: str) -> Any:
        raise ValueError(f"{constant} is no JSON")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) != len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in members if names.count(name) > 1)
            raise ValueError(f"`{shown_line(twice)}` is given twice in one object")
        return members

    try:
        return json.loads(data.decode("utf-8-sig"), parse_constant=refuse, object_pairs_hook=once)
    except UnicodeDecodeError:
        raise refusal(key, f"`{leaf}` prints no UTF-8") from None
    except (ValueError, RecursionError) as error:
        text = beginning(data.decode("utf-8", "replace").strip(), 60)
        hint = f"it begins with: {shown_line(text)}" if text else "it prints nothing"
        why = "too deep" if isinstance(error, RecursionError) else str(error).partition(":")[0].removesuffix(" at")
        raise refusal(key, f"`{leaf}` prints no JSON: {why}", hint) from None


def _warnings(said: str) -> list[tuple[str, str]]:
    """Give what Ansible warns of, as it says it."""
    parts = [" ".join(part.split()) for part in _WARNING.split(said)[1:]]
    told = [(f"ansible-inventory: {shown_line(part)}", "") for part in dict.fromkeys(parts)]
    more = len(told) - MOST_WARNINGS
    return told if more <= 0 else [*told[:MOST_WARNINGS], (f"ansible-inventory warns of {more} things more", "")]
