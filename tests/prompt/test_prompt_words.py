"""What is typed is read as the verbs of the table, in short too, or refused in one line that says what to type."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from prompt_run import failing, model_of

from octogram_tui.engine import stimuli
from octogram_tui.errors import UsageError
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.pattern import Pattern
from octogram_tui.prompt.helping import help_on
from octogram_tui.prompt.words import ALIASES, LOOKS, Look, read
from octogram_tui.runtime import typed_verbs
from octogram_tui.runtime.verbs import TABLE, VERBS, Evaluate, LogQuery

MODEL = model_of(failing())
SOLD = InstanceId("sell", "sell one octopus", "shop_2")
ODD = "do it if *needed* = [x]"
ODD_ID = InstanceId("sell", ODD, "shop_2")
ODD_PATTERN = str(Pattern.of("sell", ODD, "shop_2"))
ODD_MODEL = model_of(failing({"sell one octopus": ODD}))


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("s", stimuli.StepRequest()),
        ("n", stimuli.StepRequest("over")),
        ("finish agent=shop_1", stimuli.StepRequest("out", agent="shop_1")),
        ("c", stimuli.GoRequest()),
        ("pause", stimuli.PauseRequest()),
        ("pau", stimuli.PauseRequest()),
        ("set stock_2 = 5", stimuli.SetVariableRequest("stock_2", 5)),
        ("set stock_2=five or so", stimuli.SetVariableRequest("stock_2", "five or so")),
        ('set x [1, "a"]', stimuli.SetVariableRequest("x", [1, "a"])),
        ("unset stock_2", stimuli.SetVariableRequest("stock_2", remove=True)),
        ("set_variable stock_2 value=5", stimuli.SetVariableRequest("stock_2", 5)),
        ("skip", stimuli.SkipRequest(SOLD)),
        ("skip shop_2", stimuli.SkipRequest(SOLD)),
        ("skip 'sell/sell one octopus@shop_2'", stimuli.SkipRequest(SOLD)),
        ("skip 'octopus@shop_2'", stimuli.SkipRequest(SOLD)),
        ("retry", stimuli.RerunAllRequest("failed", go=True)),
        ("r", stimuli.RerunRequest("sell", "sell one octopus", "shop_2", SOLD)),
        ("r sell inputs=then", stimuli.RerunRequest("sell", inputs="then")),
        (
            "rerun shop_2 from_here=true",
            stimuli.RerunRequest("sell", "sell one octopus", "shop_2", SOLD, from_here=True),
        ),
        ("args . expect=3", stimuli.SetArgumentsRequest(SOLD, {"expect": 3})),
        ("args shop_2", stimuli.SetArgumentsRequest(SOLD, remove=True)),
        ("p vars.stock_2 + 1", Evaluate("vars.stock_2 + 1", SOLD)),
        ("evaluate 'vars.x' agent=shop_1", Evaluate("vars.x", agent="shop_1")),
        ("b", stimuli.BreakRequest("sell/sell one octopus@shop_2")),
        ("b 24", stimuli.BreakRequest("open/fill the shelves")),
        ("b @shop_* after", stimuli.BreakRequest("@shop_*", "after")),
        ("b sell if vars.x == 'a b'", stimuli.BreakRequest("sell", condition="vars.x == 'a b'")),
        ("tb '*' failed hits=3", stimuli.BreakRequest("*", "failed", hits="3", is_once=True)),
        ("u 'turn off the lights'", stimuli.UntilRequest("close/turn off the lights")),
        ("d 2", stimuli.RemoveBreakRequest(2)),
        ("disable", stimuli.SwitchBreakRequest(0, False)),
        ("enable 3", stimuli.SwitchBreakRequest(3, True)),
        ("yes open", stimuli.ConfirmRequest("open", True)),
        ("w", Look("where")),
        ("l 30", Look("list", ("30",))),
        ("log shop_2", Look("output", ("shop_2",))),
        ("log shop_2 50", Look("output", ("shop_2", "50"))),
        ("log . 50", Look("output", (".", "50"))),
        ("log", Look("output")),
        ("log shop_2 node", LogQuery("shop_2", "node")),
        ("detach", Look("quit", ("detach",))),
        ("vars stock", Look("info", ("variables", "stock"))),
    ],
)
def test_as_people_type(typed: str, asked: Any) -> None:
    assert read(typed, MODEL) == asked


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        (f"b '{ODD}'", stimuli.BreakRequest("sell/do it if \\*needed\\* = \\[x]")),
        (f"b '{ODD}' after hits=2 if vars.x > ' if '", "vars.x > ' if '"),
        (f"tb 'sell/{ODD}@shop_2'", stimuli.BreakRequest(ODD_PATTERN, is_once=True)),
        (f"u '{ODD_ID}'", stimuli.UntilRequest(ODD_PATTERN)),
        ("u .", stimuli.UntilRequest(ODD_PATTERN)),
        (f"r '{ODD_ID}'", stimuli.RerunRequest("sell", ODD, "shop_2", ODD_ID)),
        (f"args '{ODD_ID}' script='a = b'", stimuli.SetArgumentsRequest(ODD_ID, {"script": "a = b"})),
        ("args expect=3", stimuli.SetArgumentsRequest(ODD_ID, {"expect": 3})),
    ],
)
def test_names_may_hold_what_the_words_are_made_of(typed: str, asked: Any) -> None:
    found = read(typed, ODD_MODEL)
    assert (getattr(found, "condition", None) if isinstance(asked, str) else found) == asked


def test_what_a_step_is_for_is_a_setting() -> None:
    assert read("s", MODEL, scope="shop_1") == stimuli.StepRequest(agent="shop_1")
    assert read("s agent=shop_3", MODEL, scope="shop_1") == stimuli.StepRequest(agent="shop_3")
    assert read("skip", MODEL, scope="shop_1") == stimuli.SkipRequest(SOLD)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("dance", "there is no verb 'dance'"),
        ("re", "there is no verb 're'"),
        ("skip 'fill the shelves'", "may be open/fill the shelves@shop_1, open/fill"),
        ("skip nobody", "there is no row 'nobody'"),
        ("set", "say which variable, and what it is to be"),
        ("unset", "say which variable is to go"),
        ("yes", "no stage asks whether it is to run"),
        ("p", "evaluate needs `expression`"),
        ("until", "until needs `row`"),
        ("b 1", "nothing begins at line 1"),
        ("d", "remove_break needs `number`"),
        ("skip 'open", "no closing quotation"),
        ("step sideways", "one word too many"),
    ],
)
def test_what_is_wrong_is_said(typed: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(typed, MODEL)
    assert said in caught.value.message


@given(
    some.text(max_size=40)
    | some.sampled_from([*VERBS, *LOOKS, *ALIASES]).flatmap(
        lambda name: some.text(max_size=30).map(lambda text: f"{name} {text}")
    )
)
def test_any_line_is_read_or_refused_in_one_line(line: str) -> None:
    try:
        read(line, MODEL)
        said = ""
    except UsageError as error:
        said = error.message
    assert "\n" not in said


def test_every_verb_is_reached_by_its_own_words_and_explained() -> None:
    for verb in TABLE:
        required = {"instance": str(SOLD), "pattern": "*", "row": "sell", "number": "1", "is_on": "true"}
        required |= {"arguments": '{"expect": 3}', "answer": "true", "stage": "sell"}
        wanted = [argument for argument in verb.arguments if verb.is_required(argument)]
        words = [verb.name, *((arg.type.choices or (required.get(arg.name, "x"),))[0] for arg in wanted)]
        read_back = read(shlex.join(words), MODEL)
        assert read_back == typed_verbs.parse(words) or verb.name == "rerun", verb.name
        assert help_on((verb.name,))[1].strip() == verb.help
        assert any(line.startswith(verb.name) for line in help_on(()))
    for alias, whole in ALIASES.items():
        assert whole.split()[0] in {*VERBS, *LOOKS}
        assert any(alias in line for line in help_on((alias,)))
