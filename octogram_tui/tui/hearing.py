"""Whether all is heard that a key led to: widgets tell each other, and the app, by messages that take their turn."""

from __future__ import annotations

import asyncio
from typing import Any
from weakref import WeakSet

from textual.app import App
from textual.dom import DOMNode
from textual.events import Key, MouseEvent, Paste
from textual.message import Message
from textual.screen import Screen

TURNS = 50
"""So many turns of the loop what a key leads to is given, before the clock is looked at: most of it takes three."""
MOST_S = 0.25
"""So long a key waits at most for what the one before led to."""

OfHand = Key | Paste | MouseEvent


class Hearing:
    """Of an app and its widgets."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._restless: WeakSet[DOMNode] = WeakSet()  # what was waited for in vain: not again until it comes to rest

    def has_news(self) -> bool:
        """Whether something waits for the app itself that nobody typed."""
        waiting: list[Message | None] = [self._app._pending_message, *self._app._message_queue.values]
        return any(each is not None and not isinstance(each, OfHand) for each in waiting)

    async def all_told(self, *, is_beside: bool = False, asks_place: bool = False) -> None:
        """Let the widgets hear what the key before led to, and those be gone that are on their way.

        is_beside: the app itself goes on meanwhile, and hears too; asks_place: all has to be where it belongs
        """
        loop = asyncio.get_running_loop()
        turns, end_s = 0, loop.time() + MOST_S
        while not self._app._exit and (self._is_told_something(asks_place) or (is_beside and self.has_news())):
            if turns >= TURNS and loop.time() >= end_s:
                self._restless.update(each for each in self._app._registry if _has_more(each, asks_place))
                return
            await asyncio.sleep(0 if turns < TURNS else 0.002)
            turns += 1

    def _is_told_something(self, asks_place: bool) -> bool:
        return any(self._is_waited_for(each, asks_place) for each in self._app._registry)

    def _is_waited_for(self, node: DOMNode, asks_place: bool) -> bool:
        if _has_more(node, asks_place):
            return node not in self._restless
        self._restless.discard(node)
        return False


def _has_more(node: DOMNode, asks_place: bool) -> bool:
    """Whether a widget has still to hear something, or to be gone; one whose task has ended hears nothing more."""
    if node._pruning:
        return True
    if isinstance(node, Screen) and node.is_current and (node._callbacks or (asks_place and node._layout_required)):
        return True  # what is to be done once the screen is drawn
    hears = node._task is not None and not node._task.done()
    return hears and (node._message_queue.qsize() > 0 or node._pending_message is not None)
