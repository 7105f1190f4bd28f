"""The command palette: what can be done now, a line an entry, each with its key; and themes and keys to choose from."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, cast

from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.command import Command, CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.events import Key, Paste
from textual.widgets import Input
from textual.worker import WorkerError

from octogram_tui.errors import SettingsError
from octogram_tui.runtime import verbs
from octogram_tui.tui import theme
from octogram_tui.tui.event_feed import AnsweringSource, SharedSource
from octogram_tui.tui.key_presets import PRESETS
from octogram_tui.tui.keymap import ACTIONS
from octogram_tui.tui.other_names import OTHER_NAMES
from octogram_tui.tui.possible import Standing, is_askable, is_possible
from octogram_tui.tui.widgets.brush import fit

if TYPE_CHECKING:
    from octogram_tui.tui.app import ConsoleApp
    from octogram_tui.tui.looks_app import LooksApp

NAME_CELLS = 24
KEY_CELLS = 10
MOST_CELLS = 110
"""As wide as the list is at most (console.tcss)."""
FOUND_S = 1.0
"""So long a key that chooses waits at most for the list."""
LEFT_OUT = frozenset({"palette", "next pane", "previous pane", "back", "suspend"})
"""What only its key makes sense for."""


class Entry(NamedTuple):
    """One line. `shows`: what it would look like, as long as the cursor stands on it; empty for what is only done.

    others: names by which it is found as well
    """

    name: str
    keys: str
    says: str
    action: str
    shows: str = ""
    others: tuple[str, ...] = ()


class ActionProvider(Provider):
    """The palette's entries: what does something now and does not just move about, every verb, themes, and keys."""

    @property
    def console(self) -> ConsoleApp:
        """The app that they are for."""
        return cast("ConsoleApp", self.app)

    def entries(self) -> Iterator[Entry]:
        """Give every entry, in the order of the help."""
        console = self.console
        keys = console.brush.keys
        source = console.source
        standing = Standing(
            console.run_screen.pane if console.run_screen is not None else "",
            console.is_read_only,
            source.has_control,
            isinstance(source, SharedSource),
            isinstance(source, AnsweringSource) and source.is_connected,
        )
        for action in ACTIONS:
            if action.where == "list" or action.name in LEFT_OUT:
                continue
            if is_possible(action, console.model, standing):
                shown = " ".join(keys.names(action.name))
                others = OTHER_NAMES.get(action.name, ())
                yield Entry(action.name.capitalize(), shown, action.says, action.call, others=others)
        for verb in verbs.TABLE:
            if is_askable(verb, console.model, standing):
                yield Entry(f"Ask: {verb.name}", "", verb.help, f"ask_verb('{verb.name}')")
        if not console.no_color:
            folder = console.config_dir
            for name in theme.names(folder):
                try:
                    title = theme.palette(name, folder).title
                except SettingsError:  # one that is not chosen needs no word
                    continue
                says = "the colours now" if name == console.theme else "change the colours"
                show = f"use_theme('{name}')"
                yield Entry(f"Theme: {title}", "", says, show, show)
        for name in PRESETS:
            says = "the keys now" if name == keys.preset else "change the keys; your own stay over them"
            yield Entry(f"Keys: {name}", "", says, f"use_preset('{name}')")

    def line(self, entry: Entry, name: Content) -> Content:
        """Lay an entry out in a line."""
        room = min(MOST_CELLS, self.app.size.width * 96 // 100) - NAME_CELLS - KEY_CELLS - 4
        gap = " " * max(1, NAME_CELLS - name.cell_length)
        keys = Content.styled(fit(entry.keys, KEY_CELLS - 1), "bold")
        return Content.assemble(name, gap, keys, " ", fit(entry.says, max(0, room)))

    def doing(self, entry: Entry) -> Callable[[], None]:
        """Give what does it; the palette tells by it what the cursor stands on."""
        return Doing(self.console, entry)

    async def discover(self) -> Hits:
        """Show everything before anything is typed."""
        for entry in self.entries():
            line = self.line(entry, Content(entry.name))
            yield DiscoveryHit(line, self.doing(entry), text=entry.name)

    async def search(self, query: str) -> Hits:
        """Show what fits: the name before what it says, and a key by itself."""
        matcher = self.matcher(query)
        for entry in self.entries():
            score = matcher.match(entry.name)
            if query in entry.keys.split():
                score = 2.0
            name = matcher.highlight(entry.name) if score else Content(entry.name)
            for other in entry.others:
                if query.lower() in other and (found := matcher.match(other)) > score:
                    score, entry = found, entry._replace(says=f"{other}: {entry.says}")
            if not score and query.lower() in entry.says.lower():
                score = 0.1
            if score > 0:
                yield Hit(score, self.line(entry, name), self.doing(entry), text=entry.name)


class Doing:
    """Does what an entry says, wherever the palette was opened from."""

    def __init__(self, app: ConsoleApp, entry: Entry) -> None:
        self._app = app
        self._is_done = False
        self.entry = entry

    def __call__(self) -> None:
        """Do it once, when the palette is gone: it may be chosen a second time before that.

        What is typed next comes after it.
        """
        app = self._app
        if self._is_done:
            return
        self._is_done = True
        screen = app.screen_stack[0]
        pane = screen.focused or screen
        call = self.entry.action.removeprefix("app.")

        async def run() -> None:
            for target in (pane, screen, app):
                if hasattr(target, f"action_{call.partition('(')[0]}"):
                    await app.run_action(call, target)
                    return

        app.in_turn(run())


class Palette(CommandPalette):
    """The library's, which shows a theme while the cursor stands on it, and the old one again when none was chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+c", "escape", show=False)]

    def __init__(self, app: LooksApp[Any]) -> None:
        super().__init__(placeholder="find a command", id="--command-palette")
        self._owner = app
        self._theme_before = app.theme
        self._is_closed = False

    def dismiss(self, result: Any = None) -> AwaitComplete:
        """Close it, once: what was chosen takes a turn to do so, and what is typed right after it may want that too."""
        if self._is_closed:
            return AwaitComplete()
        self._is_closed = True
        return super().dismiss(result)

    async def take_input(self, event: Key | Paste) -> bool:
        """Let what chooses wait for the list of what was typed: until then another one is there."""
        if isinstance(event, Key) and not event.is_printable:
            found = [worker for worker in self.workers if worker.group == self._GATHER_COMMANDS_GROUP]
            with suppress(WorkerError, TimeoutError):
                async with asyncio.timeout(FOUND_S):
                    for worker in found:
                        await worker.wait()
        return False

    def on_input_changed(self, event: Input.Changed) -> None:
        """Look for nothing more when it is closed: what was typed before that is heard of behind it."""
        if self._is_closed:
            event.prevent_default()
            event.stop()

    def _select_or_command(self, event: object = None) -> None:
        """Do what was chosen at once: behind what is typed next it would be late."""
        if self._selected_command is None:
            super()._select_or_command(cast("Any", event))
            return
        self._cancel_gather_commands()
        self.app.post_message(CommandPalette.Closed(option_selected=True))
        self.dismiss()
        self._selected_command.command()

    def _action_command_list(self, action: str) -> None:
        """Move in the list; one that was not laid out yet has no lines, and the library asks for that of its cursor."""
        with suppress(KeyError):
            super()._action_command_list(action)

    def show_theme_of(self, option: object) -> None:
        """Show what the entry under the cursor would look like; the old theme for one that looks like nothing."""
        command = option.hit.command if isinstance(option, Command) else None
        shows = command.entry.shows if isinstance(command, Doing) else ""
        name = shows.partition("'")[2].rstrip("')") or self._theme_before
        if name != self._owner.theme:
            self._owner.action_use_theme(name)

    def put_back(self) -> None:
        """Show the theme that there was."""
        if self._owner.theme != self._theme_before:
            self._owner.action_use_theme(self._theme_before)
