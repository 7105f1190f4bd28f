"""The command palette's entries: what can be done by name, and the themes."""

from __future__ import annotations

from textual.command import DiscoveryHit, Hit, Hits, Provider

from octogram_tui.tui import theme
from octogram_tui.tui.keymap import ACTIONS, key_names


class ActionProvider(Provider):
    """The palette's entries: every action that does not just move about, and the themes."""

    def _entries(self) -> list[tuple[str, str, str]]:
        entries = [
            (f"{action.name.capitalize()}", f"{action.says}  {' '.join(key_names(action))}", action.call)
            for action in ACTIONS
            if action.where != "list"
        ]
        if self.app.no_color:
            return entries
        return entries + [
            (f"Theme: {theme.palette(name).title}", "change the colours", f"use_theme('{name}')")
            for name in theme.names()
        ]

    def _call(self, action: str) -> None:
        screen = self.app.screen_stack[0]
        pane = screen.focused or screen

        async def run() -> None:
            for target in (pane, screen, self.app):
                if hasattr(target, f"action_{action.partition('(')[0]}"):
                    await self.app.run_action(action, target)
                    return

        self.app.call_later(run)

    async def discover(self) -> Hits:
        """Show everything before anything is typed."""
        for name, text, action in self._entries():
            yield DiscoveryHit(name, lambda action=action: self._call(action), help=text)

    async def search(self, query: str) -> Hits:
        """Show what fits."""
        matcher = self.matcher(query)
        for name, text, action in self._entries():
            score = matcher.match(name)
            if score > 0:
                yield Hit(score, matcher.highlight(name), lambda action=action: self._call(action), help=text)
