"""Every verb of the console, in one table: keys, footer, help and palette are all made from it."""

from __future__ import annotations

from typing import NamedTuple

from textual.binding import Binding, BindingType
from textual.command import DiscoveryHit, Hit, Hits, Provider

from octogram_tui.tui import theme


class Verb(NamedTuple):
    """One thing that the operator can do.

    action  what Textual calls; `where` names the pane that takes the key, empty for any
    short   the word in the footer, with its rank there (0: not shown)
    """

    name: str
    keys: str
    action: str
    group: str
    help: str
    short: str = ""
    rank: int = 0
    where: str = ""
    needs_control: bool = False


VERBS: tuple[Verb, ...] = (
    Verb(
        "pause or go",
        "space",
        "toggle_pause",
        "Run",
        "hold before the next job, or let the run go on; answers a stage that asks",
        "Go",
        1,
        needs_control=True,
    ),
    Verb("step", "n,f8,f10", "step", "Run", "let one job through and hold again", "Step", 2, needs_control=True),
    Verb(
        "rerun",
        "r",
        "rerun",
        "Run",
        "run the row again: a stage, a job, or one job on one agent",
        "Rerun",
        4,
        needs_control=True,
    ),
    Verb(
        "skip",
        "S",
        "skip",
        "Run",
        "go on as if the failed or held row had succeeded; recorded as yours",
        "Skip",
        5,
        needs_control=True,
    ),
    Verb("edit variable", "e", "edit_variable", "Run", "set a variable of the run", "Edit", 9, needs_control=True),
    Verb(
        "edit scenario",
        "E",
        "edit_scenario",
        "Run",
        "open the scenario in $EDITOR at the row's line; saving reloads it",
        "Editor",
        13,
    ),
    Verb(
        "stop",
        "ctrl+c",
        "interrupt",
        "Run",
        "copy the selected text; without one, ask whether to stop",
    ),
    Verb("take control", "", "take_control", "Run", "act on a run that another console holds"),
    Verb("leave", "q", "leave", "Run", "detach (the run goes on) or stop the run", "Leave", 7),
    Verb("plan", "1", "view('plan')", "Look", "stages, jobs, agents and items"),
    Verb("agents", "2", "view('agents')", "Look", "the matrix of agents and stages"),
    Verb("log", "3", "view('log')", "Look", "what the chosen row wrote"),
    Verb("variables", "4", "view('variables')", "Look", "the variables, and what changed them when"),
    Verb("next pane", "tab", "next_pane(1)", "Look", "move to the next pane", "Pane", 12),
    Verb("previous pane", "shift+tab", "next_pane(-1)", "Look", "move to the pane before"),
    Verb("open", "enter", "open", "Look", "unfold the row, or look into it: arguments, result, error", "Open", 10),
    Verb("back", "escape", "back", "Look", "close, clear a filter or a search, follow the run again"),
    Verb("first failure", "exclamation_mark", "first_failure", "Look", "jump to what failed first", "Failure", 3),
    Verb("failed only", "f", "failed_only", "Look", "show only the way to what failed", "Failed", 11),
    Verb("find", "slash", "find", "Look", "find a row, or a text in the log", "Find", 8),
    Verb("maximise", "z", "zoom", "Look", "give the pane the whole screen, and back", "Zoom", 14),
    Verb("copy", "y", "copy", "Look", "copy the selected text, else the row"),
    Verb("copy all", "Y", "copy_all", "Look", "copy the whole log that is shown"),
    Verb("help", "question_mark,f1", "help", "Look", "keys and signs", "Help", 6),
    Verb("palette", "colon", "command_palette", "Look", "every verb, by name"),
    Verb("down", "j,down", "move(1)", "Move", "one row down", where="list"),
    Verb("up", "k,up", "move(-1)", "Move", "one row up", where="list"),
    Verb("page down", "pagedown,ctrl+f", "page(1)", "Move", "one page down", where="list"),
    Verb("page up", "pageup,ctrl+b", "page(-1)", "Move", "one page up", where="list"),
    Verb("top", "g,home", "edge(-1)", "Move", "the first row", where="list"),
    Verb("end", "G,end", "edge(1)", "Move", "the last row; in the log, follow again", where="list"),
    Verb(
        "fold",
        "h,left",
        "sideways(-1)",
        "Move",
        "fold the row, or go to what holds it; left in the matrix",
        where="list",
    ),
    Verb("unfold", "l,right", "sideways(1)", "Move", "unfold the row; right in the matrix", where="list"),
    Verb("next match", "n", "next_match(1)", "Log", "the next place that was searched for", "Next", 1, where="log"),
    Verb("previous match", "N", "next_match(-1)", "Log", "the place before", "Prev", 2, where="log"),
    Verb("timestamps", "t", "timestamps", "Log", "show when each line came", "Times", 3, where="log"),
    Verb("wrap", "W", "wrap", "Log", "wrap long lines", "Wrap", 4, where="log"),
)
"""Order is that of the help."""

KEY_NAMES = {
    "space": "Spc",
    "exclamation_mark": "!",
    "slash": "/",
    "question_mark": "?",
    "colon": ":",
    "escape": "Esc",
    "enter": "Ret",
    "ctrl+c": "^C",
    "tab": "Tab",
    "shift+tab": "S-Tab",
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "ctrl+f": "^F",
    "ctrl+b": "^B",
    "down": "Down",
    "up": "Up",
    "left": "Left",
    "right": "Right",
    "home": "Home",
    "end": "End",
}


def key_names(verb: Verb) -> list[str]:
    """Write a verb's keys as people read them."""
    return [
        KEY_NAMES.get(key, key.upper() if key[0] == "f" and key[1:].isdigit() else key)
        for key in verb.keys.split(",")
        if key
    ]


def bindings(where: str = "") -> list[BindingType]:
    """Make the bindings of a pane, or (empty) those that hold everywhere."""
    return [
        Binding(verb.keys, verb.action, verb.help, show=False, id=f"{where or 'run'}.{verb.name}")
        for verb in VERBS
        if verb.where == where and verb.keys
    ]


class VerbProvider(Provider):
    """The palette's entries: every verb that does not just move about, and the themes."""

    def _entries(self) -> list[tuple[str, str, str]]:
        entries = [
            (f"{verb.name.capitalize()}", f"{verb.help}  {' '.join(key_names(verb))}", verb.action)
            for verb in VERBS
            if verb.where != "list"
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
