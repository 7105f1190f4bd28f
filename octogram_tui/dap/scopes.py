"""What a frame sees, in scopes: arguments, item, re, res, agent, vars; and what of it can be set, and how."""

from __future__ import annotations

from itertools import islice
from typing import Any

from octogram_tui.dap.debuggee import Debuggee
from octogram_tui.dap.frames import Frame, Frames
from octogram_tui.dap.handles import (
    MOST_CHILDREN,
    Handles,
    Key,
    Place,
    shown_name,
    value_of,
    with_part,
)
from octogram_tui.dap.messages import Arguments, RequestFailed
from octogram_tui.engine.stimuli import SetArgumentsRequest, SetVariableRequest
from octogram_tui.projection.row_states import State
from octogram_tui.projection.rows import InstanceRow
from octogram_tui.runtime.verbs import Expected
from octogram_tui.tui.format import AGENT_LOOKS

BEFORE = (State.PENDING, State.HELD)
AGAIN = (State.FAILED, State.LOST, State.HELD, State.RETRYING)
"""What is given arguments for its next attempt."""
MOST_AT_ONCE = 10_000


class Scopes:
    """Writes scopes and variables, and sets them."""

    def __init__(self, debuggee: Debuggee, frames: Frames, handles: Handles) -> None:
        self._debuggee = debuggee
        self._frames = frames
        self._handles = handles

    def of(self, frame: Frame) -> list[dict[str, Any]]:
        """Write the scopes of a frame; what is in them is read when somebody unfolds them."""
        row = self._frames.row(frame)
        found = self._of_instance(row) if isinstance(row, InstanceRow) else []
        agent = Place(lambda: self._agent(frame.agent))
        watched = Place(
            lambda: self._variables(row, frame.agent),
            name="vars",
            setting=None if self._debuggee.is_replay else self._set_variable,
            watched=True,
        )
        found += [("agent", agent, {}), ("vars", watched, {"presentationHint": "globals"})]
        return [
            {"name": name, "variablesReference": self._handles.add(frame.agent, place), "expensive": False, **more}
            for name, place, more in found
        ]

    def _of_instance(self, row: InstanceRow) -> list[tuple[str, Place, dict[str, Any]]]:
        found: list[tuple[str, Place, dict[str, Any]]] = []
        is_live = not self._debuggee.is_over and not self._debuggee.model.is_back
        if is_live and row.state in AGAIN:

            async def set_argument(path: tuple[Key, ...], value: Any) -> None:
                await self._set_argument(row, path, value)

            place = Place(lambda: self._next_arguments(row), setting=set_argument)
            found.append(("arguments", place, {"presentationHint": "arguments"}))
        if row.last is not None:
            given = row.last.arguments
            name = f"arguments of attempt {row.last.number}" if found else "arguments"
            if given is not None:
                found.append((name, Place(given), {} if found else {"presentationHint": "arguments"}))
        if row.key.item is not None:
            found.append(("item", _alone("item", row.item), {}))
        if is_live:
            found.append(("re", Place(lambda: self._captures(row)), {}))
        if row.last is not None and row.state not in BEFORE and row.last.result is not None:
            found.append(("res", _alone("res", row.last.result), {"presentationHint": "returnValue"}))
        return found

    # What is in them

    async def _variables(self, row: Any, agent: str) -> dict[str, Any]:
        values = dict(self._debuggee.model.variables.values)
        if isinstance(row, InstanceRow) and not self._debuggee.is_over and not self._debuggee.model.is_back:
            seen = await self._debuggee.value("vars", row.key, agent)  # it may see a copy of what they were
            values = seen if isinstance(seen, dict) else values
        return {name: values[name] for name in sorted(values)}

    async def _next_arguments(self, row: InstanceRow) -> dict[str, Any]:
        answer = await self._debuggee.ask(Expected(row.key))
        return {**answer["arguments"], **self._debuggee.model.edited.of(row.key)}

    async def _captures(self, row: InstanceRow) -> list[Any]:
        found = await self._debuggee.value("re", row.key)
        return found if isinstance(found, list) else []

    async def _agent(self, name: str) -> dict[str, Any]:
        board = self._debuggee.model.board
        known = board.agents.get(name)
        if known is None:
            return {}
        told: dict[str, Any] = {"name": name, "state": AGENT_LOOKS[known.state].word}
        told |= {"address": known.address} if known.address else {}
        told |= {"message": known.message} if known.message else {}
        told |= {"home": known.home} if known.home else {}
        labels: Any = None
        if not self._debuggee.is_over:
            seen = await self._debuggee.value("agent", agent=name)
            labels = seen.get("labels") if isinstance(seen, dict) else None
        told |= {"labels": labels} if labels else {}
        services = {
            f"{each.kind} {each.name}": {"address": each.address, "ports": dict(each.ports)}
            for (agent, _, _), each in board.services.items()
            if agent == name and each.state == "up"
        }
        return told | ({"services": services} if services else {})

    # The requests

    async def variables(self, asked: Arguments) -> dict[str, Any]:
        """Write what is in a place, or a part of it."""
        agent, place = self._handles.find(asked.number("variablesReference"))
        first, count = asked.number("start", 0), asked.number("count", 0)
        wanted = asked.text("filter", "")
        pairs = await place.children()
        is_list = bool(pairs) and isinstance(pairs[0][0], int)
        if wanted and (wanted == "indexed") is not is_list:
            return {"variables": []}
        if wanted and (first or count):
            chosen, rest = islice(pairs, first, first + min(count or MOST_AT_ONCE, MOST_AT_ONCE)), 0
        else:
            chosen, rest = islice(pairs, MOST_CHILDREN), len(pairs) - MOST_CHILDREN
        told = [self._written(agent, place, key, value) for key, value in chosen]
        if rest > 0:
            more = {"name": "…", "value": f"{rest} more", "presentationHint": {"kind": "virtual"}}
            told.append({**more, "variablesReference": self._handles.add(agent, place.rest(MOST_CHILDREN))})
        return {"variables": told}

    def _written(self, agent: str, place: Place, key: Key, value: Any) -> dict[str, Any]:
        part = place.part(key, value) if isinstance(value, (dict, list)) else None
        told = {"name": shown_name(key), **self._handles.shown(agent, value, part)}
        name = place.expression(key)
        if name:
            told["evaluateName"] = name
        if place.setting is None:
            told["presentationHint"] = {"attributes": ["readOnly"]}
        return told

    async def set_variable(self, asked: Arguments) -> dict[str, Any]:
        """Set a part of a place."""
        agent, place = self._handles.find(asked.number("variablesReference"))
        key, _ = await place.named(asked.text("name"))
        if place.setting is None:
            raise RequestFailed("this has been, and cannot be set: set `vars`, or the arguments of the next attempt")
        value = value_of(asked.text("value"))
        await place.setting((*place.path, key), value)
        self._handles.refresh()
        part = place.part(key, value) if _has_parts(value) else None
        return self._handles.shown(agent, value, part)

    async def set_by_name(self, path: tuple[Key, ...], value: Any) -> dict[str, Any]:
        """Set a variable, or a part of one, and write what it is."""
        await self._set_variable(path, value)
        self._handles.refresh()
        name = "vars"
        for key in path:
            name = Place({}, name=name).expression(key)
        place = Place(value, path=path, name=name, setting=self._set_variable) if _has_parts(value) else None
        return self._handles.shown("", value, place)

    async def _set_variable(self, path: tuple[Key, ...], value: Any) -> None:
        name, rest = str(path[0]), path[1:]
        before = self._debuggee.board_values.get(name)
        await self._debuggee.ask(SetVariableRequest(name, with_part(before, rest, value)))

    async def _set_argument(self, row: InstanceRow, path: tuple[Key, ...], value: Any) -> None:
        name, rest = str(path[0]), path[1:]
        before = (await self._next_arguments(row)).get(name) if rest else None
        given = {**self._debuggee.model.edited.of(row.key), name: with_part(before, rest, value)}
        await self._debuggee.ask(SetArgumentsRequest(row.key, given))

    def watched(self, asked: Arguments) -> str:
        """Name the variable that is meant, of which a change can be waited for; empty when that is none."""
        name = asked.text("name")
        if "variablesReference" in asked and asked.number("variablesReference"):
            _, place = self._handles.find(asked.number("variablesReference"))
            return name if place.watched else ""
        bare = name.strip().removeprefix("vars.")
        return bare if bare in self._debuggee.board_values else ""


def _alone(name: str, value: Any) -> Place:
    """Give a scope of a value: its parts, or the value alone where it has none."""
    if isinstance(value, dict) and value:
        return Place(value, name=name)
    return Place({name: value}, name="*")


def _has_parts(value: Any) -> bool:
    return isinstance(value, (dict, list)) and bool(value)
