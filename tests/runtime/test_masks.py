"""What was fed is sealed beside masked events, and comes back as it was; what is printed on the way is masked too."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace

import pytest

from octogram_tui.engine.events import Event, JobFinished, JobOutput, RunStarted, VariableChanged
from octogram_tui.engine.stimuli import AttemptReport, SetVariableRequest, Stimulus
from octogram_tui.journal import codec, inputs
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import AttemptId, InstanceId
from octogram_tui.model.scenario import Scenario, SecretSpec
from octogram_tui.runtime import masks as masks_module
from octogram_tui.runtime.masks import EventMasks
from octogram_tui.secrecy.masker import Masker
from octogram_tui.secrecy.vault import Vault

VALUE = "correct horse battery"
INSTANCE = InstanceId("s", "j", "a", VALUE)


def masks_of(**values: str) -> EventMasks:
    masker = Masker()
    for name, value in values.items():
        masker.learn(name, value)
    return EventMasks(masker)


def finished(result: object, failure: Failure | None = None) -> tuple[AttemptReport, JobFinished]:
    """Give what an agent reported, and what the engine stated of it: both hold the same values."""
    instance = InstanceId("s", "j", "a")
    report = AttemptReport("a", AttemptId(instance, 1), "failed" if failure else "ok", result, failure)  # type: ignore[arg-type]
    event = JobFinished(
        instance=instance,
        state=report.state,
        result=report.result,
        failure=failure,
        cause=f"AttemptReport {report.attempt}",
    )
    return report, event


def written(
    masks: EventMasks, stimulus: Stimulus, events: Sequence[Event]
) -> tuple[list[Event], dict[str, object] | None]:
    """Do as the driver does."""
    stated = masks.mask([*events])
    record = inputs.record_of(stimulus, 1.0, 3, stated)
    return stated, None if record is None else json.loads(json.dumps(masks.seal(record)))


@pytest.mark.fault(88)
@pytest.mark.parametrize(
    "ended",
    [
        finished({"stdout": f"it is {VALUE}", "n": 1}),
        finished(None, Failure("exit", f"no {VALUE}", detail={"last_lines": [VALUE[:5], VALUE[5:]]})),
        finished(["(secret token)"]),
    ],
)
def test_an_end_that_is_masked_in_its_event_is_written_sealed(ended: tuple[AttemptReport, JobFinished]) -> None:
    masks = masks_of(token=VALUE)
    report, event = ended
    [stated], record = written(masks, report, [event])
    assert record is not None
    assert VALUE not in json.dumps(record) + codec.encode(stated).decode()
    assert inputs.stimulus_of(masks.unseal(record), lambda _: Scenario("", ())) == report


def test_an_end_without_a_secret_is_told_by_its_event_alone() -> None:
    report, event = finished({"stdout": "nothing"})
    [stated], record = written(masks_of(token=VALUE), report, [event])
    assert record is None
    assert stated is event


@pytest.mark.fault(88)
def test_what_an_operator_sets_is_sealed_and_read_back_with_the_value_of_then() -> None:
    asked = SetVariableRequest("login", [f"me:{VALUE}", "\x1a", 3])
    _, record = written(masks_of(token=VALUE), asked, [])
    assert record is not None
    assert record["sealed"] is True
    assert VALUE not in json.dumps(record)
    again = inputs.stimulus_of(masks_of(token="changed meanwhile").unseal(record), lambda _: Scenario("", ()))
    assert again == SetVariableRequest("login", ["me:changed meanwhile", "\x1a", 3])


@pytest.mark.fault(88)
def test_names_of_instances_and_variables_are_masked_and_can_be_read() -> None:
    masks = masks_of(token=VALUE)
    events: list[Event] = [
        RunStarted(run="r", scenario="s", variables={"token": VALUE, f"said_{VALUE}": [f"a{VALUE}b"]}),
        JobFinished(instance=INSTANCE, item=VALUE, cause=f"AttemptReport {AttemptId(INSTANCE, 1)}"),
    ]
    lines = [codec.encode(event) for event in masks.mask(events)]
    assert VALUE.encode() not in b"".join(lines)
    again = codec.decode(lines[1])
    assert isinstance(again, JobFinished)
    assert again.instance == InstanceId("s", "j", "a", "(secret token)")
    assert events[0].variables["token"] == VALUE  # type: ignore[attr-defined]


@pytest.mark.fault(88)
def test_pieces_of_one_output_belong_together_and_those_of_another_do_not() -> None:
    masks = masks_of(token=VALUE)
    instance = InstanceId("s", "j", "a")

    def said(*lines: str, stream: str = "stdout", attempt: int = 1) -> list[str]:
        event = JobOutput(agent="a", lines=[*lines], instance=instance, attempt=attempt, stream=stream)
        [stated] = masks.mask([event])
        assert isinstance(stated, JobOutput)
        return stated.lines

    assert said(f"x {VALUE[:10]}") == ["x (part of secret token)"]
    assert said(VALUE[10:], stream="stderr") == [VALUE[10:]]
    assert said(VALUE[10:], attempt=2) == [VALUE[10:]]
    assert said(VALUE[10:] + " y", "z") == ["(part of secret token) y", "z"]
    assert said("battery") == ["battery"]


def test_what_is_kept_of_outputs_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masks_module, "MOST_KEPT", 100)
    masks = masks_of(token=VALUE)
    for number in range(50):
        masks.mask([JobOutput(agent=f"a{number}", lines=["x" * 60, VALUE[:10]])])
    [stated] = masks.mask([JobOutput(agent="a49", lines=[VALUE[10:]])])
    [forgotten] = masks.mask([JobOutput(agent="a0", lines=[VALUE[10:]])])
    assert isinstance(stated, JobOutput)
    assert isinstance(forgotten, JobOutput)
    assert stated.lines == ["(part of secret token)"]
    assert forgotten.lines == [VALUE[10:]]
    assert masks._kept == sum(map(len, masks._ends.values())) <= 100


def test_what_the_program_prints_of_its_own_mistakes_is_masked() -> None:
    code = (
        "import sys; from octogram_tui import streams; from octogram_tui.secrecy.masker import Masker\n"
        "streams.prepare(); masker = Masker(); masker.learn('token', sys.argv[1]); streams.hide(masker.text)\n"
        "print('it is', sys.argv[1]); print({'a': sys.argv[1]}, file=sys.stderr); raise ValueError(sys.argv[1])"
    )
    done = subprocess.run([sys.executable, "-c", code, VALUE], capture_output=True, text=True, check=False)
    assert done.stdout == "it is (secret token)\n"
    assert "ValueError: (secret token)" in done.stderr
    assert VALUE not in done.stderr


def test_an_edit_reads_what_is_new_only(monkeypatch: pytest.MonkeyPatch) -> None:
    vault = Vault()
    monkeypatch.setenv("ONE", "the first value")
    env = SecretSpec("env", ("ONE",))
    first = vault.fill(Scenario("", (), variables={"token": "(secret token)", "n": 1}, secrets={"token": env}))
    assert first.variables == {"token": "the first value", "n": 1}
    monkeypatch.setenv("ONE", "not read again")
    monkeypatch.setenv("TWO", "pin")
    told: list[str] = []
    vault.tell_to(told.append)
    both = {"token": env, "pin": SecretSpec("env", ("TWO",))}
    assert vault.fill(Scenario("", (), secrets=both)).variables == {"token": "the first value", "pin": "pin"}
    assert [message.partition(":")[0] for message in told] == ["secret `pin` has fewer than 6 characters"]


@pytest.mark.fault(88)
def test_a_secret_that_a_job_sets_is_hidden_in_all_that_is_told_with_it() -> None:
    masks = masks_of(token=VALUE)
    instance = InstanceId("s", "j", "a")
    events: list[Event] = [
        JobOutput(agent="a", lines=["it is fresh-session-1"], instance=instance),
        JobFinished(instance=instance, result={"stdout": "fresh-session-1"}),
        VariableChanged(name="token", value="fresh-session-1", by=str(instance)),
        VariableChanged(name="login", value="me:fresh-session-1", by=str(instance)),
    ]
    masks.expect(events)
    told = b"".join(codec.encode(event) for event in masks.mask(events))
    assert b"fresh" not in told
    assert told.count(b"(secret token)") == 4


@pytest.mark.fault(88)
def test_a_variable_that_is_no_secret_is_told_as_it_is() -> None:
    events: list[Event] = [VariableChanged(name="other", value="fresh-session-1", by="s/j@a")]
    assert masks_of(token=VALUE).mask(events)[0] is events[0]


@pytest.mark.fault(88)
def test_numbers_and_words_that_mean_what_they_say_stay() -> None:
    masks = masks_of(pin="123456", word="failed", short="ok")
    report, event = finished({"code": 123456, "d": 0.123456, "said": "failed"})
    event = replace(event, duration_s=0.123456, at_s=123456.0, state="failed")
    [stated] = masks.mask([event])
    assert isinstance(stated, JobFinished)
    assert (stated.duration_s, stated.at_s, stated.state) == (0.123456, 123456.0, "failed")
    assert stated.result == {"code": "(secret pin)", "d": "0.(secret pin)", "said": "(secret word)"}
    _, record = written(masks, replace(report, duration_s=0.123456), [event])
    assert record is not None
    assert record["with"]["duration_s"] == 0.123456  # type: ignore[index]
    again = inputs.stimulus_of(
        masks_of(pin="a text", word="w" * 9, short="x").unseal(record), lambda _: Scenario("", ())
    )
    assert isinstance(again, AttemptReport)
    assert again.result == {"code": "a text", "d": "0.a text", "said": "w" * 9}
