"""The groups of an Ansible listing: which hosts are in which, and what groups say of their hosts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from octogram_tui.scenario.forms import shown
from octogram_tui.scenario.inventory.found import Unclear

MAX_DEPTH = 64


class Groups:
    """Which groups there are, of whom, within which."""

    def __init__(self, listing: Mapping[str, Any]) -> None:
        self._parents: dict[str, list[str]] = {}
        self._variables: dict[str, dict[str, Any]] = {}
        self.hosts: dict[str, list[str]] = {}
        self._closed: dict[tuple[str, ...], list[str]] = {}
        for name, group in listing.items():
            if name == "_meta":
                continue
            if group is None or isinstance(group, list):
                group = {"hosts": group}
            if not isinstance(group, dict):
                raise Unclear(f"group `{shown(name)}` is no map of `hosts`, `children` and `vars`")
            for child in _names(group, "children", name):
                self._parents.setdefault(child, []).append(name)
            for host in _names(group, "hosts", name):
                self.hosts.setdefault(host, []).append(name)
            variables = group.get("vars") or {}
            if not isinstance(variables, dict):
                raise Unclear(f"`vars` of group `{shown(name)}` is no map")
            self._variables[name] = variables

    def of(self, host: str) -> list[str]:
        """Name the groups of a host, those around them too: the outermost first. Raises Unclear for one in itself."""
        direct = tuple(self.hosts[host])
        if direct not in self._closed:
            depths: dict[str, int] = {}
            for group in direct:
                self._climb(group, depths, ())
            depths["all"] = MAX_DEPTH + 1
            self._closed[direct] = sorted(depths, key=lambda name: (-depths[name], name))
        return self._closed[direct]

    def variables(self, host: str) -> dict[str, Any]:
        """Give what groups say of a host; inner ones count over outer ones, as in Ansible."""
        return {name: value for group in self.of(host) for name, value in self._variables.get(group, {}).items()}

    def _climb(self, group: str, depths: dict[str, int], below: tuple[str, ...]) -> None:
        if group in below or len(below) > MAX_DEPTH:
            raise Unclear(f"group `{shown(group)}` is within itself")
        if depths.get(group, -1) >= len(below):
            return
        depths[group] = len(below)
        for parent in self._parents.get(group, ()):
            self._climb(parent, depths, (*below, group))


def _names(group: Mapping[str, Any], key: str, of: str) -> Iterable[str]:
    found = group.get(key) or []
    if isinstance(found, str) or not isinstance(found, (list, dict)) or not all(isinstance(n, str) for n in found):
        raise Unclear(f"`{key}` of group `{shown(of)}` is no list of names")
    return found
