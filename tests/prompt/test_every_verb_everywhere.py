"""Every verb of the one table is reached by a key or a word of the palette, at the prompt, by `ask`, by an option.

What is not, stands in a small table here with its reason. A verb that is added fails here until somebody has decided.
"""

from __future__ import annotations

import shlex
from typing import Any

import pytest
from prompt_run import Source, failing, sit

from octogram_tui.commands.ask import OF_CONSOLES, _listing
from octogram_tui.commands.run_parser import make_parser
from octogram_tui.projection.rows import InstanceRow
from octogram_tui.prompt.helping import help_on
from octogram_tui.prompt.words import read
from octogram_tui.runtime import verbs
from octogram_tui.runtime.requests import decode_request, encode_request
from octogram_tui.runtime.verbs import TABLE, Verb
from octogram_tui.tui.keymap import ACTIONS
from octogram_tui.tui.model import Model
from octogram_tui.tui.possible import Standing, is_askable
from octogram_tui.tui.screens.verb_line import begun

BY_ITS_LINE_ALONE: dict[str, str] = {}
"""Verbs that no key and no word of the palette of their own is for; the palette's `Ask: VERB` has them all."""

NOT_ASKED = {
    "take_control": "a command's connection ends with it: `--take-control` takes it for that request",
    "watch": "a command's connection ends with it",
}
"""Verbs that `ask` refuses."""

AT_THE_START = {
    "pause": "--paused",
    "step": "--step",
    "until": "--step-from",
    "break": "--break",
    "confirm": "--confirm",
    "set_variable": "--var",
    "stop": "--timeout",
}
"""Options of a run that ask before it begins what the verb asks while it goes on."""

ONLY_LATER = {
    "go": "a run goes on unless --paused, --step or --break hold it",
    "hold_mode": "somebody is there to be asked only where a console is",
    "switch_break": "one that is off is not set",
    "remove_break": "there is none yet that could be taken away",
    **dict.fromkeys(("rerun", "rerun_all", "skip", "skip_all", "back"), "nothing has run; --from, --stage leave out"),
    "set_arguments": "no row is held; the file is edited before a run",
    "log": "nothing has been written",
    "evaluate": "there is no scope; `plan` shows what is expanded",
    "foresee_set": "nothing has read anything; `plan -e` shows what is expanded",
    "foresee_file": "`check` and `plan` tell of a file",
    "arguments": "`plan` shows them",
    "whereabouts": "no agent is up; `shell` goes there later",
    "reload_mode": "a console's choice",
    "reload": "it has just been read",
    "check": "a command of its own: `octogram-tui check`",
    **dict.fromkeys(("take_control", "watch"), "about two consoles of one run; `attach --read-only` begins so"),
}
"""Verbs without such an option, and why."""

MODEL = Model()
MODEL.apply(failing())
WORDS = {"pattern": "*", "row": "sell", "number": "1", "is_on": "true", "answer": "true", "stage": "sell"}
WORDS |= {"arguments": '{"expect": 3}', "agent": "shop_2", "process": "x", "expression": "1", "name": "stock_2"}


def typed(verb: Verb) -> str:
    """Write a verb with all that it needs."""
    row = next(iter(MODEL.board.failures.values()))
    assert isinstance(row, InstanceRow)
    words = {**WORDS, "instance": str(row.key)}
    needed = [argument for argument in verb.arguments if verb.is_required(argument)]
    return shlex.join([verb.name, *((arg.type.choices or (words.get(arg.name, ""),))[0] for arg in needed)])


@pytest.mark.parametrize("verb", TABLE, ids=lambda verb: verb.name)
def test_a_verb_has_a_key_or_a_word_and_a_line_in_the_palette(verb: Verb) -> None:
    assert any(verb.name in action.verbs for action in ACTIONS) is not (verb.name in BY_ITS_LINE_ALONE)
    shared = [Standing("plan", False, has_control, True, True) for has_control in (True, False)]
    assert any(is_askable(verb, MODEL, standing) for standing in shared)
    assert begun(verb, None).split() == [verb.name]


@pytest.mark.parametrize("verb", TABLE, ids=lambda verb: verb.name)
async def test_a_verb_is_typed_at_the_prompt_and_reaches_the_run(verb: Verb) -> None:
    asked: Any = read(typed(verb), MODEL)
    assert verbs.verb_of(asked) is verb
    assert decode_request(encode_request(asked)) == asked
    source = Source(failing())
    source.answers[verb.request] = {"problem": "not now"}
    _, told = await sit(source, typed(verb), "quit detach", is_typed=True)
    if verb.request not in OF_CONSOLES:
        assert source.asked == [asked]
        assert f"{verb.name}: refused: not now" in told
    assert help_on((verb.name,))[0] == verbs.usage(verb)


@pytest.mark.parametrize("verb", TABLE, ids=lambda verb: verb.name)
def test_a_verb_is_asked_from_a_shell(verb: Verb) -> None:
    assert (verb.request in OF_CONSOLES) is (verb.name in NOT_ASKED)
    assert (verbs.usage(verb) in list(_listing())) is not (verb.name in NOT_ASKED)


@pytest.mark.parametrize("verb", TABLE, ids=lambda verb: verb.name)
def test_a_verb_has_an_option_or_a_reason_to_have_none(verb: Verb) -> None:
    assert (verb.name in AT_THE_START) is not (verb.name in ONLY_LATER)
    if verb.name in AT_THE_START:
        assert AT_THE_START[verb.name] in make_parser().format_help()


def test_no_reason_is_left_for_what_is_no_verb() -> None:
    for reasons in (BY_ITS_LINE_ALONE, NOT_ASKED, AT_THE_START, ONLY_LATER):
        assert set(reasons) <= set(verbs.VERBS)
