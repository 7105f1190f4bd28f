"""Reads `secrets`: variables whose values are read when a run begins, and stand nowhere in the clear."""

from __future__ import annotations

from typing import Any

from octogram_tui.model.scenario import SecretSpec
from octogram_tui.scenario.findings import kind_of
from octogram_tui.scenario.keys import KeyReader
from octogram_tui.scenario.shapes import SECRET
from octogram_tui.scenario.tree import MapNode, Place
from octogram_tui.secrecy.names import NAME, parse_source

HINT = "write for instance `token: {env: TOKEN}`, or leave the value out and give --secret token=env:TOKEN"


def read_secrets(keys: KeyReader, root: MapNode, directory: str) -> dict[str, SecretSpec]:
    """Read names and sources."""
    if not keys.is_given(root, "secrets"):
        return {}
    if not keys.is_map(root["secrets"], root.value_place("secrets"), "`secrets`"):
        return {}
    node = root["secrets"]
    found = {}
    for name in node:
        if not NAME.fullmatch(name):
            keys.findings.error(
                node.key_place(name),
                f"`{name}` cannot be the name of a secret",
                "letters, digits and `_`, at most 64, and no digit first",
            )
            continue
        spec = _read_source(keys, node, name, directory)
        found[name] = spec._replace(mark=keys.findings.mark(node.key_place(name)))
    return found


def _read_source(keys: KeyReader, node: MapNode, name: str, directory: str) -> SecretSpec:
    source: Any = node[name]
    place = node.value_place(name)
    if source is None:
        return SecretSpec()
    if isinstance(source, str):
        try:
            return parse_source(source, directory)
        except ValueError:  # it may be the secret: it is not repeated
            keys.findings.error(place, f"the value of the secret `{name}` is not to stand here", HINT)
    elif not isinstance(source, MapNode):
        keys.findings.error(place, f"the source of the secret `{name}` must be a map, not {kind_of([])}", HINT)
    else:
        return _read_map(keys, source, name, place, directory)
    return SecretSpec()


def _read_map(keys: KeyReader, source: MapNode, name: str, place: Place, directory: str) -> SecretSpec:
    keys.check_known(source, SECRET, f"the secret `{name}`")
    given = [kind for kind in SECRET if kind in source]
    if len(given) != 1:
        keys.findings.error(place, f"the secret `{name}` takes exactly one of {', '.join(SECRET)}", HINT)
        return SecretSpec()
    kind = given[0]
    words = tuple(text for text, _ in keys.words(source, kind))
    if not all(words) or source[kind] == []:
        keys.findings.error(source.value_place(kind), f"`{kind}` is empty", HINT)
    if not words or not all(words):
        return SecretSpec()
    if kind == "keyring":
        if len(words) == 1:
            words = tuple(words[0].rpartition("/")[::2])
        if len(words) != 2 or not all(words):
            keys.findings.error(source.value_place(kind), "`keyring` takes a service and a user", "[SERVICE, USER]")
            return SecretSpec()
    elif len(words) > 1 and kind != "command":
        keys.findings.error(source.value_place(kind), f"`{kind}` takes one text")
        return SecretSpec()
    return SecretSpec(kind, words, directory)  # type: ignore[arg-type]
