"""What can be typed, in lines: from the table of verbs, and what stands beside it."""

from __future__ import annotations

from octogram_tui.cuts import quoted
from octogram_tui.prompt.words import ALIASES, LOOKS
from octogram_tui.runtime.verbs import TABLE, VERBS, usage

SHORTLY = """\
Short forms: s (step into), n (over), o (out), c (go on), u ROW (until), b ROW [if COND] (break), p EXPR (evaluate),
set X = 1, args ROW NAME=VALUE, r ROW (rerun), retry (what failed, again, and go on), skip ROW, w (where), l (list).
A row is named by stage/job@agent[item], by a part of that, by its agent, or by `.`: where the run is at."""


def help_on(words: tuple[str, ...]) -> list[str]:
    """Say what there is, or what one verb takes."""
    if not words:
        width = max(map(len, (*VERBS, *LOOKS))) + 2
        told = [f"{name:{width}}{text}" for name, text in LOOKS.items()]
        asked = [f"{verb.name:{width}}{verb.help}" for verb in TABLE]
        return ["To look:", *told, "To ask of the run:", *asked, *SHORTLY.splitlines()]
    name = ALIASES.get(words[0], words[0]).split(" ")[0]
    if name in LOOKS:
        return [f"{name}: {LOOKS[name]}", *_short(name)]
    if name not in VERBS:
        return [f"there is no verb {quoted(words[0], 40)}; `help` lists what there is"]
    verb = VERBS[name]
    width = max((len(argument.name) for argument in verb.arguments), default=0) + 2
    takes = [f"  {arg.name:{width}}{arg.help} ({arg.type.name})" for arg in verb.arguments]
    return [usage(verb), f"  {verb.help}", *takes, *_short(name)]


def _short(name: str) -> list[str]:
    found = [alias for alias, whole in ALIASES.items() if whole.split(" ")[0] == name]
    return [f"  also typed {', '.join(found)}"] if found else []
