"""Every type of event survives being written and read, and lines say what scripts rely on."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from octogram_tui.engine import events as ev
from octogram_tui.journal import codec
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import InstanceId

ID = InstanceId("s", "j", "a")
HOSTILE = InstanceId("a/b", "c@d", "e", "] # \n")
SAMPLES: dict[str, Any] = {
    "str": "text",
    "int": 7,
    "int | None": 0,
    "float": 1.5,
    "bool": True,
    "Value": {"a": [1, None]},
    "InstanceId": HOSTILE,
    "InstanceId | None": HOSTILE,
    "Failure | None": Failure("exit", "no", "look", {"exit_code": 3}),
}


def sample(cls: type[ev.Event], *, only_required: bool) -> ev.Event:
    values: dict[str, Any] = {}
    for f in fields(cls):
        if f.name in ("seq", "at_s"):
            continue
        is_required = f.default is MISSING and f.default_factory is MISSING
        if only_required and not is_required:
            continue
        kind = str(f.type)
        if kind.startswith("list[str]"):
            values[f.name] = ["one", "two"]
        elif kind.startswith("list[int]"):
            values[f.name] = [1, 6]
        elif kind.startswith("list"):
            values[f.name] = [{"k": "v"}]
        elif kind.startswith("dict"):
            values[f.name] = {"k": 1}
        else:
            values[f.name] = SAMPLES[kind]
    return cls(seq=3, at_s=0.25, **values)


FINISHED = ev.JobFinished(seq=1, instance=ID, state="ok", duration_s=1.5)

PART = st.text(st.sampled_from("ab/@[]#\\:~\n\u202e é"), max_size=5)


@given(PART, PART, PART, st.none() | PART)
def test_the_texts_of_former_names_are_read_by_their_parts(stage: str, job: str, agent: str, item: str | None) -> None:
    line = codec.to_dict(ev.JobFinished(seq=1, at_s=0.0, instance=InstanceId(stage, job, agent, item)))
    line["key"] = f"{stage}/{job}@{agent}" + ("" if item is None else f"[{item}]")
    read = codec.from_dict(line)
    assert isinstance(read, ev.JobFinished)
    assert read.instance[:3] == (stage, job, agent)
    assert (read.instance.item is None) == (item is None)


def test_a_text_that_names_another_instance_is_refused() -> None:
    line = codec.to_dict(ev.JobFinished(seq=1, at_s=0.0, instance=ID))
    with pytest.raises(ValueError, match="names another instance"):
        codec.from_dict({**line, "key": "s/j@b"})


@pytest.mark.parametrize("only_required", [True, False])
@pytest.mark.parametrize("cls", ev.EVENT_TYPES.values(), ids=lambda cls: str(cls.TYPE))
def test_every_event_survives(cls: type[ev.Event], only_required: bool) -> None:
    event = sample(cls, only_required=only_required)
    line = codec.encode(event)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert codec.decode(line) == event
    assert list(json.loads(line))[:3] == ["seq", "at_s", "type"]


def test_a_line_holds_what_scripts_rely_on_even_when_it_is_empty() -> None:
    started = codec.to_dict(ev.JobStarted(instance=ID))
    assert started == {
        "seq": 0,
        "at_s": 0.0,
        "type": "job_started",
        "stage": "s",
        "job": "j",
        "agent": "a",
        "key": "s/j@a",
        "attempt": 1,
        "arguments": {},
        "why": "first",
    }
    assert codec.to_dict(ev.JobFinished(instance=ID))["state"] == "ok"
    assert codec.to_dict(ev.VariableChanged(name="x", removed=True))["value"] is None
    assert codec.to_dict(ev.StagesDone())["exit_code"] == 0


def test_empty_fields_are_left_out_but_falsy_values_of_variables_and_items_are_not() -> None:
    finished = codec.to_dict(ev.JobFinished(instance=ID, item=0, result=False))
    assert finished["item"] == 0
    assert finished["result"] is False
    assert "error" not in finished
    assert "cause" not in finished
    assert codec.to_dict(ev.VariableChanged(name="x", value=0))["value"] == 0


def test_the_first_event_says_the_version_of_the_format() -> None:
    assert codec.to_dict(ev.RunStarted(run="r", scenario="s.yml"))["v"] == codec.FORMAT_VERSION


def test_an_unknown_type_is_kept_and_written_again_as_it_was() -> None:
    line = b'{"seq":9,"at_s":1.5,"type":"from_the_future","agent":"a","cause":"x"}\n'
    event = codec.decode(line)
    assert isinstance(event, codec.UnknownEvent)
    assert event.name == "from_the_future"
    assert codec.encode(event) == line


def test_an_unknown_field_is_ignored() -> None:
    event = codec.decode(b'{"seq":1,"at_s":0,"type":"run_resumed","mode":"step","new":1}')
    assert event == ev.RunResumed(seq=1, at_s=0, mode="step")


RESUMED = b'{"seq":1,"at_s":0,"type":"run_resumed","mode":"step"}'


@pytest.mark.parametrize(
    "line",
    [
        RESUMED,
        RESUMED.decode(),
        RESUMED + b"\n",
        RESUMED + b" \r\n",
        b"  " + RESUMED,
        RESUMED.replace(b",", b", "),
        b"\xef\xbb\xbf" + RESUMED,
    ],
)
def test_a_line_may_have_been_through_an_editor(line: bytes | str) -> None:
    assert codec.decode(line) == ev.RunResumed(seq=1, at_s=0, mode="step")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("é\u2028\U0001f419", rb'"\u00e9\u2028\ud83d\udc19"'),
        ("\udcff", rb'"\udcff"'),
        ('\0\x1f\x7f"\\/<', rb'"\u0000\u001f\u007f\"\\/<"'),
        (10**40, b"1" + b"0" * 40),
        (-(2**64), b"-18446744073709551616"),
        ([1e16, 1e-7, 0.1, -0.0, 1.0], b"[1e+16,1e-07,0.1,-0.0,1.0]"),
        ({"a b": {}, "": [None, True]}, b'{"a b":{},"":[null,true]}'),
    ],
)
def test_every_byte_of_a_value_is_promised(value: Any, written: bytes) -> None:
    event = ev.VariableChanged(seq=1, name="x", value=value)
    line = codec.encode(event)
    assert line == b'{"seq":1,"at_s":0.0,"type":"variable_changed","name":"x","value":' + written + b"}\n"
    assert codec.decode(line) == event


@pytest.mark.parametrize("number", [1.5, float("inf")])
def test_keys_that_are_no_texts_are_written_the_same_beside_any_number(number: float) -> None:
    value: Any = (
        {2: {3}, None: b"x", False: number, float("nan"): 0} if number == float("inf") else {2: {3}, None: b"x"}
    )
    written = json.loads(codec.encode(ev.VariableChanged(name="x", value=value)))["value"]
    assert (written["2"], written["null"]) == ("{3}", "b'x'")


def test_what_was_written_by_another_hand_is_read_leniently() -> None:
    line = b'{"seq":1,"at_s":0,"type":"variable_changed","name":"x","value":[NaN,1e400,"\\udcff","\xed\xb3\xbf"]}'
    event = codec.decode(line)
    assert isinstance(event, ev.VariableChanged)
    assert isinstance(event.value, list)
    assert [str(value) for value in event.value] == ["nan", "inf", "\udcff", "\udcff"]


def test_reading_leaves_the_record_as_it_was() -> None:
    record = codec.load(RESUMED)
    assert codec.from_dict(record) == codec.from_dict(record)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b"[]", "not a JSON object"),
        (b"nonsense", "Expecting value"),
        (b"", "Expecting value"),
        (RESUMED + RESUMED, "Extra data"),
        (RESUMED[:-3], "Unterminated string"),
        (RESUMED.replace(b"step", b"\xff"), "utf-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"seq":1,"type":"run_resumed"}', "`at_s`"),
        (b'{"seq":1,"at_s":0,"type":"agent_failed","agent":"a"}', "needs code, message"),
        (b'{"seq":true,"at_s":0,"type":"run_resumed"}', "a number `seq`"),
        (b'{"seq":1,"at_s":"0","type":"run_resumed"}', "`at_s`"),
        (b'{"seq":1,"at_s":1e999,"type":"run_resumed"}', "an event cannot be number 1 at inf s"),
        (b'{"seq":1,"at_s":NaN,"type":"run_resumed"}', "an event cannot be number 1 at nan s"),
        (b'{"seq":-1,"at_s":0,"type":"run_resumed"}', "an event cannot be number -1"),
        (codec.encode(FINISHED).replace(b"1.5", b'"inf"'), "`duration_s` cannot be 'inf'"),
        (codec.encode(FINISHED).replace(b"1.5", b"1e999"), "`duration_s` cannot be inf"),
        (codec.encode(FINISHED).replace(b"1.5", b"NaN"), "`duration_s` cannot be nan"),
        (codec.encode(FINISHED).replace(b"1.5", b"9" * 400), "`duration_s` cannot be 9999"),
        (codec.encode(FINISHED).replace(b"1.5", b"null"), "`duration_s` cannot be None"),
        (codec.encode(FINISHED).replace(b'"attempt":1', b'"attempt":"1"'), "`attempt` cannot be '1'"),
        (b'{"seq":1,"at_s":0,"type":"run_finished","exit_code":0,"counts":{"ok":"7"}}', "`counts` cannot be '7'"),
        (b'{"seq":1,"at_s":0,"type":"run_finished","exit_code":0,"counts":[7]}', "`counts` holds no numbers"),
    ],
)
def test_what_is_no_event_is_refused(line: bytes, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        codec.decode(line)


def test_what_is_no_type_of_event_is_not_written() -> None:
    with pytest.raises(TypeError, match="JobEvent"):
        codec.encode(ev.JobEvent(instance=ID))


def test_numbers_that_json_has_not_become_texts() -> None:
    with_tuple: Any = [float("nan"), {"y": float("inf")}, (1.5,)]
    event = ev.VariableChanged(name="x", value=with_tuple)
    assert json.loads(codec.encode(event))["value"] == ["nan", {"y": "inf"}, [1.5]]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(value=json_values, name=st.text())
def test_any_json_value_survives(value: Any, name: str) -> None:
    event = ev.VariableChanged(seq=1, name=name, value=value)
    assert codec.decode(codec.encode(event)) == event


@given(st.sampled_from(list(ev.EVENT_TYPES.values())), st.booleans(), json_values | st.floats(), st.data())
def test_a_line_is_the_object_as_json(
    cls: type[ev.Event], only_required: bool, value: Any, data: st.DataObject
) -> None:
    event = sample(cls, only_required=only_required)
    for f in fields(cls):
        if str(f.type) == "Value" and data.draw(st.booleans()):
            setattr(event, f.name, value)
        elif str(f.type) in ("InstanceId", "InstanceId | None"):
            setattr(event, f.name, data.draw(st.sampled_from([ID, HOSTILE, InstanceId("", "j", "a", "1")])))
    while codec._SHAPES[cls].write is None:
        codec._SHAPES[cls].count()
    assert codec.encode(event) == codec.dump(codec.to_dict(event))


@pytest.mark.parametrize("cls", ev.EVENT_TYPES.values())
def test_frequent_events_are_written_the_short_way_and_seldom_ones_cost_no_compiling(cls: type[ev.Event]) -> None:
    shape = codec.Shape(cls)
    event = sample(cls, only_required=False)
    for number in range(1, codec.FREQUENT + 1):
        assert shape.write is None, number
        shape.count()
    assert shape.write is not None
    assert shape.write(event) == codec.dump(codec.to_dict(event))


def test_what_a_field_should_not_hold_is_written_all_the_same() -> None:
    for _ in range(codec.FREQUENT):
        codec.encode(ev.WarningGiven(message="x"))
    odd: Any = 7
    event = ev.WarningGiven(seq=1, message=odd)
    assert codec.encode(event) == codec.dump(codec.to_dict(event))
    assert b'"message":7' in codec.encode(event)
