"""What is typed at the prompt, read: the verbs of the table with their short forms, and the looks that ask nothing.

s, n, o, c      step into, over, out; go on          b ROW [if COND], tb, d N    breakpoints
p EXPR          evaluate                             set X = 1, unset X          variables
retry           what failed, again, and go on        yes, no                     answer a stage that asks
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from octogram_tui.cuts import quoted
from octogram_tui.engine import stimuli
from octogram_tui.errors import UsageError
from octogram_tui.model.pattern import Pattern
from octogram_tui.projection.places import pattern_of
from octogram_tui.projection.rows import InstanceRow
from octogram_tui.prompt.rows import HERE, exact_row, find_instance, find_row
from octogram_tui.runtime import typed_verbs
from octogram_tui.runtime.argument_types import INSTANCE
from octogram_tui.runtime.verbs import VERBS, Asked, Evaluate, Verb
from octogram_tui.tui.model import Model, rerun_of


class Look(NamedTuple):
    """Something to be told, or to be done here, that the run is not asked for."""

    name: str
    words: tuple[str, ...] = ()


LOOKS: dict[str, str] = {
    "where": "where the run is: by agent, what is held, what comes next; `where AGENT` for one of them",
    "list": "the scenario's lines around a row or a line, with an arrow at what is at hand",
    "show": "a row: state, cause, arguments, result, the end of its output",
    "output": "the last lines that a row wrote: `output ROW [LINES]`",
    "info": "info breakpoints, agents, variables, stages, failures",
    "explain": "why a row runs, is held or failed, and what its arguments come of: `explain ROW or vars.NAME [LEVELS]`",
    "compare": "a row with where it went well, or with what is named: `compare ROW [ROW, AGENT or #ATTEMPT]`",
    "at": "which moment is looked at; `at MOMENT` goes there: an event, 90s, 12:30, @14:05, a stage, start, now",
    "earlier": "an event back, and nobody is stopped; `earlier 5`, `earlier stage`, `failure`, `act`, `minute`",
    "later": "an event on; `later 5`, `later stage`, `failure`, `act`, `minute`",
    "changed": "variables that are others than at the start, or at a moment: `changed measure`, `changed 90s`",
    "save": "write the variables to a file that `--variables` reads: `save FILE`",
    "scope": "which agent the next steps are for; `scope all` for the whole run",
    "wait": "take the next line when nothing moves any more",
    "shell": "a shell on the agent of a row, in its directory, with its environment",
    "edit": "the scenario in $EDITOR, at a row or a line, or where an edit was refused; saving reloads it",
    "help": "what can be typed; `help VERB` for one of them",
    "quit": "leave: `quit detach` leaves the run as it is, `quit stop` ends it",
}
"""What can be typed besides the verbs of the table."""

ALIASES: dict[str, str] = {
    "s": "step", "n": "step depth=over", "next": "step depth=over", "o": "step depth=out", "out": "step depth=out",
    "finish": "step depth=out", "c": "go", "continue": "go", "cont": "go", "u": "until", "b": "break", "tb": "break",
    "tbreak": "break", "d": "remove_break", "delete": "remove_break", "p": "evaluate", "print": "evaluate",
    "set": "set_variable", "unset": "set_variable", "args": "set_arguments", "w": "where", "bt": "where",
    "l": "list", "i": "info", "q": "quit", "exit": "quit", "detach": "quit detach", "kill": "stop", "x": "shell",
    "h": "help", "?": "help", "r": "rerun", "retry": "rerun_all failed go=true", "yes": "confirm", "no": "confirm",
    "now": "at now", ",": "earlier", ".": "later",
    "enable": "switch_break", "disable": "switch_break", "vars": "info variables", "agents": "info agents",
}  # fmt: skip
"""Short forms, and those that are known from gdb."""

_SET = re.compile(r"^(?P<name>[^\s=]+)\s*(?:=|\s)\s*(?P<value>.*)$", re.DOTALL)
_NAMED = re.compile(r"^[A-Za-z_]\w*=")
"""A word that gives an argument its value; a row's name with `=` in it is not one: its stage stands before it."""
OF_SCOPE = (stimuli.PauseRequest, stimuli.GoRequest, stimuli.StepRequest, stimuli.UntilRequest)


def read(line: str, model: Model, *, scope: str = "") -> Asked | Look:
    """Read a line. scope: the agent that steps are for. Raises UsageError, in one line."""
    first, _, rest = line.strip().partition(" ")
    rest = rest.strip()
    special = _SPECIAL.get(first)
    if special is not None:
        return special(rest, model)
    name, *more = ALIASES.get(first, first).split(" ")
    name = _whole(name)
    words = [*more, *_split(rest)]
    is_of_row = len(words) < 2 or (len(words) == 2 and words[1].isdecimal())
    if name == "log" and is_of_row:  # as people mean it; the verb of that name asks the agent
        return Look("output", tuple(words))
    if name in LOOKS:
        return Look(name, tuple(words))
    asked = _asked(VERBS[name], words, model)
    if isinstance(asked, OF_SCOPE) and not asked.agent:
        asked.agent = scope
    if isinstance(asked, Evaluate) and asked.instance is None and not asked.agent:
        return Evaluate(asked.expression, agent=scope)
    return asked


def _whole(name: str) -> str:
    """Complete a name. Raises UsageError for what is none, or may be several."""
    if name in VERBS or name in LOOKS:
        return name
    found = sorted({each for each in (*VERBS, *LOOKS) if each.startswith(name)}) if name else []
    if len(found) == 1:
        return found[0]
    meant = f"it may be {', '.join(found)}" if found else "`help` lists what there is"
    raise UsageError(f"there is no verb {quoted(name, 40)}", hint=meant)


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise UsageError(f"{str(error).lower()}", hint="quote a name that holds spaces: 'read it'") from None


def _asked(verb: Verb, words: list[str], model: Model) -> Asked:
    """Read a verb's words, where a row may be named in short."""
    required = [argument for argument in verb.arguments if verb.is_required(argument)]
    for place, argument in enumerate(required):
        if argument.type is INSTANCE:
            if place >= len(words):
                words = [*words, HERE]
            words[place] = str(find_instance(words[place], model))
        elif argument.name in ("pattern", "row") and place < len(words) and words[place] == HERE:
            words[place] = pattern_of(find_row(HERE, model))
    optional = {argument.name for argument in verb.arguments if argument.type is INSTANCE}
    for place, word in enumerate(words):
        name, is_named, value = word.partition("=")
        if is_named and name in optional and place >= len(required):
            words[place] = f"{name}={find_instance(value, model)}"
    return typed_verbs.parse([verb.name, *words])


def _rerun(rest: str, model: Model) -> Asked:
    """Run a row again, however it is named; or a stage, as the verb of the table has it."""
    words = _split(rest)
    row_words = [word for word in words if not _NAMED.match(word)]
    others = [word for word in words if _NAMED.match(word)]
    if any(word.partition("=")[0] in ("stage", "job", "agent", "instance") for word in others):
        return _asked(VERBS["rerun"], words, model)
    request = rerun_of(find_row(" ".join(row_words), model))
    return typed_verbs.parse([*typed_verbs.words(request), *others])


def _evaluate(rest: str, model: Model) -> Asked:
    """Take all of the line as the expression; a row that waits is whose sight it is."""
    if not rest:
        raise UsageError("evaluate needs `expression`: the expression", hint="p vars.level + 1")
    row = model.focus_row() if model.board.is_paused else None
    return Evaluate(rest, row.key if isinstance(row, InstanceRow) else None)


def _breaks(rest: str, model: Model, *, is_once: bool = False) -> Asked:
    """Read `ROW or LINE [when] [name=value ...] [if CONDITION]`."""
    before, condition = _conditioned(f" {rest}")
    words = _split(before)
    row = words.pop(0) if words and not _NAMED.match(words[0]) else HERE
    others = [word if _NAMED.match(word) else f"when={word}" for word in words]
    if condition is not None:
        others.append(f"condition={condition.strip()}")
    if is_once:
        others.append("is_once=true")
    return typed_verbs.parse(["break", _pattern(row, model), *others])


def _conditioned(text: str) -> tuple[str, str | None]:
    """Part `... if CONDITION`, where no quoted name holds the `if`."""
    for found in re.finditer(" if ", text):
        with suppress(ValueError):
            shlex.split(text[: found.start()])
            return text[: found.start()], text[found.end() :]
    return text, None


def _pattern(text: str, model: Model) -> str:
    """Give the pattern for a line of the scenario, for this row, or as it is typed."""
    if text.isdecimal():
        group = model.source.row_at(int(text))
        if group is None:
            raise UsageError(f"nothing begins at line {text} or before it")
        return pattern_of(group)
    row = find_row(HERE, model) if text == HERE else exact_row(text, model)
    if row is None and not any(sign in text for sign in "/@[*"):
        with suppress(UsageError):  # a name that is to come
            row = find_row(text, model)
    if row is not None:
        return pattern_of(row)
    return str(Pattern.parse(text)) if _is_pattern(text) else text


def _is_pattern(text: str) -> bool:
    try:
        Pattern.parse(text)
    except ValueError:
        return False
    return True


def _set(rest: str, _: Model) -> Asked:
    found = _SET.match(rest)
    if found is None:
        raise UsageError("say which variable, and what it is to be", hint="set level = 5")
    name, value = found["name"], found["value"].strip()
    return typed_verbs.parse(
        ["set_variable", name, value if value.startswith(("value=", "remove=")) else f"value={value}"]
    )


def _unset(rest: str, _: Model) -> Asked:
    if not rest:
        raise UsageError("say which variable is to go", hint="unset level")
    return typed_verbs.parse(["set_variable", *_split(rest), "remove=true"])


def _arguments(rest: str, model: Model) -> Asked:
    """Read `ROW name=value ...`; without a value, those of the text again."""
    words = _split(rest)
    row = words.pop(0) if words and not _NAMED.match(words[0]) else HERE
    id_ = find_instance(row, model)
    if not words:
        return stimuli.SetArgumentsRequest(id_, remove=True)
    given = {}
    for word in words:
        name, is_named, value = word.partition("=")
        if not is_named:
            raise UsageError(f"{quoted(word, 40)} says not which argument it is", hint="args ROW name=value")
        given[name] = VERBS["set_variable"].arguments[1].type.from_word(value)
    return stimuli.SetArgumentsRequest(id_, given)


def _answer(answer: bool) -> Callable[[str, Model], Asked]:
    def asked(rest: str, model: Model) -> Asked:
        stage = " ".join(_split(rest)) or next(iter(model.board.confirmations), "")
        if not stage:
            raise UsageError("no stage asks whether it is to run", hint="`where` tells what the run waits for")
        return stimuli.ConfirmRequest(stage, answer)

    return asked


def _switch(is_on: bool) -> Callable[[str, Model], Asked]:
    return lambda rest, _: typed_verbs.parse(["switch_break", rest or "0", f"{is_on}".lower()])


def _until(rest: str, model: Model) -> Asked:
    words = _split(rest)
    if not words:
        raise UsageError("until needs `row`: the row", hint="u ROW or LINE")
    return typed_verbs.parse(["until", _pattern(words[0], model), *words[1:]])


_SPECIAL: dict[str, Callable[[str, Model], Asked]] = {
    **dict.fromkeys(("p", "print"), _evaluate),
    **dict.fromkeys(("b", "break"), _breaks),
    **dict.fromkeys(("tb", "tbreak"), lambda rest, model: _breaks(rest, model, is_once=True)),
    **dict.fromkeys(("r", "rerun"), _rerun),
    **dict.fromkeys(("u", "until"), _until),
    "set": _set,
    "unset": _unset,
    "args": _arguments,
    "yes": _answer(True),
    "no": _answer(False),
    "enable": _switch(True),
    "disable": _switch(False),
}
"""What is read in its own way."""
