"""The table of verbs: each request once, each form the inverse of the other, and complaints of one line."""

import dataclasses
import json
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from octogram_tui.engine import stimuli
from octogram_tui.errors import ExitCode, UsageError
from octogram_tui.model.ids import InstanceId
from octogram_tui.runtime import argument_types, requests, typed_verbs, verbs
from octogram_tui.runtime.arguments import Argument
from octogram_tui.runtime.requests import decode_request, encode_request

NOT_AN_OPERATOR_S = {"BeginRequest", "TakeUpRequest"}  # the host's own
ASIDE = {"CheckFile", "Evaluate", "ForeseeSet", "ForeseeFile", "Expected", "Whereabouts"}  # answered, and no event
TEXTS = some.text(some.characters(exclude_categories=["Cs"])) | some.sampled_from(
    ["", "a=b", "stage/job@agent[item]", "--force", "true", " ", "\n", "#2", "🐙", '"', "force=true"]
)
VALUES = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
BY_TYPE = {
    argument_types.TEXT: TEXTS,
    argument_types.INSTANCE: some.builds(InstanceId, TEXTS, TEXTS, TEXTS, some.none() | TEXTS),
    argument_types.FLAG: some.booleans(),
    argument_types.EXIT_CODE: some.sampled_from([int(code) for code in ExitCode]),
    argument_types.SIZE: some.integers(1, argument_types.MOST_LOG_BYTES),
    argument_types.COUNT: some.integers(0, 1 << 53),
    argument_types.VALUE: VALUES,
    argument_types.INSTANCES: some.lists(
        some.builds(InstanceId, TEXTS, TEXTS, TEXTS, some.none() | TEXTS), max_size=3
    ).map(tuple),
    argument_types.VALUES: some.dictionaries(TEXTS, VALUES, max_size=3),
    argument_types.NUMBER: some.integers(0, 10**9 - 1),
    argument_types.PATTERN: some.sampled_from(["*", "a/b@c[d]", "@n_*", "/job", "st*ge", "a[*]", r"a\/b/c\*"]),
}
ASKED = some.sampled_from(verbs.TABLE).flatmap(
    lambda verb: some.builds(verb.request, **{arg.name: _values(verb, arg) for arg in verb.arguments})
)


def _values(verb: verbs.Verb, argument: Argument) -> some.SearchStrategy[Any]:
    choices = argument.type.choices
    values = some.sampled_from(choices) if choices else BY_TYPE[argument.type]
    return some.none() | values if verb.default(argument) is None else values


def test_every_request_has_one_verb_and_every_verb_its_words() -> None:
    requests = {name for name in vars(stimuli) if name.endswith("Request")} - NOT_AN_OPERATOR_S
    named = [verb.request.__name__ for verb in verbs.TABLE]
    assert sorted(named) == sorted(
        {*requests, "TakeControl", "OnlyWatch", "LogQuery", "LookAtFile", "CheckFile", *ASIDE}
    )
    assert len(verbs.VERBS) == len(verbs.TABLE)
    for verb in verbs.TABLE:
        assert verb.help
        assert all(argument.help for argument in verb.arguments), verb.name
        fields = [field.name for field in dataclasses.fields(verb.request)]
        assert [argument.name for argument in verb.arguments] == fields


@given(ASKED)
def test_what_is_written_is_read_back(asked: Any) -> None:
    assert decode_request(encode_request(asked)) == asked
    assert requests.decode(json.loads(json.dumps(requests.encode(asked)))) == asked
    assert typed_verbs.parse(typed_verbs.words(asked)) == asked


@given(some.binary() | some.recursive(VALUES, some.lists).map(lambda value: json.dumps(value).encode()))
def test_any_line_is_a_request_or_refused_in_one_line(line: bytes) -> None:
    with pytest.raises(UsageError) as caught:
        decode_request(line)
    assert caught.value.message.isprintable()


@given(
    some.sampled_from(list(verbs.VERBS)),
    some.dictionaries(some.sampled_from(["stage", "name", "value", "by", "force", "instance", "exit_code"]), VALUES),
    some.lists(TEXTS, max_size=5),
)
def test_any_arguments_are_taken_or_refused_in_one_line(name: str, arguments: dict[str, Any], typed: list[str]) -> None:
    decoded, parsed = (
        partial(requests.decode, {"request": name, **arguments}),
        partial(typed_verbs.parse, [name, *typed]),
    )
    for read in (decoded, parsed):
        said = ""
        try:
            assert verbs.verb_of(read()).name == name
        except UsageError as error:
            said = error.message
        assert said.isprintable()


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("pause", stimuli.PauseRequest()),
        ("rerun start job=node agent=n_1", stimuli.RerunRequest("start", "node", "n_1")),
        ("rerun_all failed go=true", stimuli.RerunAllRequest("failed", go=True)),
        (
            "rerun_all failed instances=start/node@n_1[a]",
            stimuli.RerunAllRequest("failed", instances=(InstanceId("start", "node", "n_1", "a"),)),
        ),
        ("skip start/node@n_1[a=b]", stimuli.SkipRequest(InstanceId("start", "node", "n_1", "a=b"))),
        ("set_variable slots value=5", stimuli.SetVariableRequest("slots", 5)),
        ("set_variable network value=ghostnet", stimuli.SetVariableRequest("network", "ghostnet")),
        ("set_variable slots remove=true", stimuli.SetVariableRequest("slots", remove=True)),
        ("confirm measure true", stimuli.ConfirmRequest("measure", True)),
        ("confirm measure answer=true", stimuli.ConfirmRequest("measure", True)),
        ("switch_break number=2 is_on=false", stimuli.SwitchBreakRequest(2, False)),
    ],
)
def test_as_people_type(typed: str, asked: Any) -> None:
    assert typed_verbs.parse(typed.split()) == asked


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ([], "say what to do"),
        (["dance"], "there is no verb 'dance'"),
        (["pause", "now"], "pause: 'now' is one word too many"),
        (["pause", "why=1"], "pause has no argument 'why'"),
        (["rerun"], "rerun needs `stage`: the stage"),
        (["rerun", "a", "stage=b"], "rerun: 'stage' is given twice"),
        (["rerun_all"], "rerun_all needs `which`: what is meant"),
        (["rerun_all", "everything"], "rerun_all: `which` must be failed or stale"),
        (
            ["rerun_all", "failed", "instances=n_1"],
            "rerun_all: `instances` must be names of instances: one, or a list in JSON",
        ),
        (["confirm", "measure", "perhaps"], "confirm: `answer` must be true or false"),
        (["stop", "by=me", "exit_code=4711"], "stop: `exit_code` must be an exit code"),
        (["log", "a", "p", "size_bytes=0"], "log: `size_bytes` must be 1 to 65536 bytes"),
        (["set_variable", "x", "value=NaN"], "set_variable: `value` must be a value"),
    ],
)
def test_what_is_wrong_is_said(typed: list[str], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        typed_verbs.parse(typed)
    assert caught.value.message == said


def test_nothing_may_be_written_where_it_is_what_the_request_has_anyway() -> None:
    assert requests.encode(stimuli.RerunRequest("s")) == {"request": "rerun", "stage": "s"}
    assert decode_request(b'{"request": "rerun", "stage": "s", "instance": null}') == stimuli.RerunRequest("s")


def test_what_no_operator_may_ask_is_not_written() -> None:
    with pytest.raises(UsageError, match="AgentBackReport cannot be asked for"):
        encode_request(stimuli.AgentBackReport("a"))
