"""A list of agents that was made from an inventory, as a document, and as the text that is kept with a run."""

from __future__ import annotations

import json
from typing import Any

from octogram_tui.scenario.inventory.found import Found
from octogram_tui.scenario.tree import NOWHERE, Document, Flaw, ListNode, MapNode

_BEGINNING = '{"inventory": 1,'


def document(key: str, found: Found) -> Document:
    """Make a document of what was found; nothing in it has a place."""
    agents = json.dumps(found.agents, sort_keys=True, indent=1)
    text = f'{_BEGINNING}\n"doubts": {json.dumps(found.doubts)},\n"agents": {agents}}}\n'
    doubts = [Flaw(NOWHERE, message, hint) for message, hint in found.doubts]
    return Document(key, _node(found.agents), NOWHERE, text, [], doubts, {})


def is_kept(text: str) -> bool:
    """Tell whether a text is one that `document` has made."""
    return text.startswith(_BEGINNING)


def read(key: str, text: str) -> Document:
    """Give the document of a kept text. Raises ValueError, KeyError."""
    record = json.loads(text)
    return document(key, Found(record["agents"], [(message, hint) for message, hint in record["doubts"]]))


def _node(value: Any) -> Any:
    if isinstance(value, dict):
        node = MapNode.at(NOWHERE)
        for name, each in value.items():
            node.place_member(str(name), _node(each), NOWHERE)
        return node
    if isinstance(value, list):
        elements = ListNode.at(NOWHERE)
        for each in value:
            elements.append(_node(each))
            elements.marks.append(NOWHERE)
        return elements
    return value
