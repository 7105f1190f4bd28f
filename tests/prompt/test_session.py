"""A sitting at the prompt: lines are answered, events told, needs said once; and all ways in which it ends."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest
from prompt_run import Source, begun, failing, recorded, sit

from octogram_tui.engine import events as ev
from octogram_tui.engine import stimuli
from octogram_tui.errors import ExitCode
from octogram_tui.model.ids import InstanceId
from octogram_tui.runtime.verbs import Evaluate
from octogram_tui.tui.outcome import ConsoleOutcome

SOLD = InstanceId("sell", "sell one octopus", "shop_2")
END = [ev.StopRequested(seq=900, by="operator"), ev.RunFinished(seq=901, exit_code=1)]


def paused() -> Source:
    source = Source(failing())
    source.follows[stimuli.StopRequest] = [*END]
    return source


async def test_looks_are_told_and_verbs_answered() -> None:
    source = paused()
    source.answers[stimuli.SkipRequest] = {"problem": "it neither failed nor is held"}
    source.answers[Evaluate] = {"problem": "", "led_to": [], "value": ["a"]}
    source.answers[stimuli.SetVariableRequest] = {"problem": "", "led_to": ["variable_changed"], "said": ["stock_2: 1"]}
    outcome, told = await sit(
        source, "where", "show .", "list", "", "# nothing", "skip", "set stock_2 = 5", "p vars.x", "dance", "quit stop"
    )
    assert outcome == ConsoleOutcome("finished", 1)
    assert "> where\nrun " in told
    assert "  shop_2: sell one octopus, failed: shop 2 cannot sell" in told
    assert "the last 2 lines that it wrote:\n| shop 2 has 0 on its shelves" in told
    assert "skip: refused: it neither failed nor is held" in told
    assert "set_variable: stock_2: 1\n" in told
    assert '> p vars.x\n[\n  "a"\n]\n' in told
    assert "there is no verb 'dance'\nhint: `help` lists what there is" in told
    assert told.count("\n* ") == 1  # what it needs somebody for, once
    assert "type `retry` (again)" in told
    assert source.sent == [stimuli.StopRequest("operator", 1)]
    assert "FAILED after" in told  # the closing words
    assert "\x1b" not in told


async def test_what_the_run_goes_on_after_is_not_offered_to_be_tried_again() -> None:
    events = failing()
    begun = next(event for event in events if isinstance(event, ev.RunStarted))
    begun.options = {"on_failure": "keep_going"}
    source = Source(events)
    source.follows[stimuli.StopRequest] = [*END]
    _, told = await sit(source, "quit stop")
    offers = next(line for line in told.splitlines() if line.startswith("  type "))
    assert "retry" not in offers
    assert "`info failures` (1 failed), `rerun ROW`" in offers


async def test_the_next_line_of_a_script_is_for_when_nothing_moves_any_more() -> None:
    source = paused()
    at = failing()[-1].seq
    resumed = [ev.RunResumed(seq=at + 1), ev.JobStarted(seq=at + 2, instance=SOLD, attempt=2, why="rerun")]
    source.follows[stimuli.RerunAllRequest] = resumed

    async def end_it() -> None:
        while not source.asked:
            await asyncio.sleep(0)
        source.parts.put_nowait([ev.JobFinished(seq=at + 3, instance=SOLD, attempt=2)])
        source.parts.put_nowait([ev.StagesDone(seq=at + 4)])

    ending = asyncio.create_task(end_it())
    _, told = await sit(source, "retry", "where", "quit stop")
    await ending
    assert told.index("> where") > told.index("every stage has ended")
    assert source.asked == [stimuli.RerunAllRequest("failed", go=True)]


@pytest.mark.parametrize(("owns", "has_ended"), [(True, True), (False, False)])
async def test_when_the_lines_end_nobody_answers_any_more(owns: bool, has_ended: bool) -> None:
    source = paused()
    if not owns:
        source.parts.put_nowait(END)
        source.parts.put_nowait(None)
    outcome, told = await sit(source, owns=owns)
    assert outcome == ConsoleOutcome("finished", 1)
    assert ("nobody is there to see to the failure: the run ends" in told) is has_ended
    assert source.sent == ([stimuli.StopRequest("operator", int(ExitCode.JOB_FAILED))] if owns else [])


async def test_what_is_held_by_nothing_bad_goes_on_when_the_lines_end() -> None:
    started = begun()
    held = ev.RunPaused(seq=started[-1].seq + 1, reason="start")
    row = ev.JobHeld(seq=held.seq + 1, instance=InstanceId("open", "fill the shelves", "shop_1"), reason="start")
    source = Source([*started, held, row])
    source.follows[stimuli.GoRequest] = [*END]
    outcome, _ = await sit(source)
    assert source.sent == [stimuli.GoRequest()]
    assert outcome.kind == "finished"


@pytest.mark.parametrize(
    ("lines", "kind", "exit_code"),
    [(("quit detach",), "detached", None), (("quit",), "detached", None), (("quit stop",), "finished", 1)],
)
async def test_ways_to_leave_by_hand(lines: tuple[str, ...], kind: str, exit_code: int | None) -> None:
    source = paused()
    outcome, told = await sit(source, *lines, is_typed=True)
    assert (outcome.kind, outcome.exit_code) == (kind, exit_code)
    assert ("`quit detach` leaves it so" in told) is (lines == ("quit",))


async def test_a_run_whose_process_goes_away_is_told_of() -> None:
    source = paused()
    source.parts.put_nowait(None)
    outcome, told = await sit(source, "wait", owns=False)
    assert outcome == ConsoleOutcome("lost", None)
    assert "The run's process is gone" in told


@pytest.mark.parametrize(
    ("number", "kind"), [(signal.SIGTERM, "detached"), (signal.SIGHUP, "detached"), (signal.SIGINT, "finished")]
)
async def test_signals_are_answered(number: signal.Signals, kind: str) -> None:
    source = Source(begun())  # nothing stands still: the script's line waits
    source.follows[stimuli.StopRequest] = [*END]
    source.answers[stimuli.GoRequest] = {"problem": "", "led_to": []}

    async def answer_and_signal(question: object) -> dict[str, object]:
        os.kill(os.getpid(), number)
        return {"problem": "", "led_to": [], "up_to": 0}

    source.answer = answer_and_signal  # type: ignore[method-assign]
    outcome, _ = await sit(source, "go", "where")
    assert outcome.kind == kind


async def test_a_replay_is_told_and_looked_at_and_takes_no_verbs() -> None:
    source = Source(recorded(), has_control=False)
    source.parts.put_nowait(None)
    outcome, told = await sit(source, "show shop_2", "go", "info failures", is_replay=True)
    assert outcome == ConsoleOutcome("detached", None)
    assert "this is a replay: nothing can be changed" in told
    assert "sell/sell one octopus@shop_2: shop 2 cannot sell" in told
    assert not source.asked


class Shared(Source):
    """One of several consoles."""

    def take_control(self) -> None:
        asyncio.get_running_loop().call_soon(setattr, self, "has_control", True)

    def only_watch(self) -> None:
        self.has_control = False


async def test_who_holds_control_is_said_and_that_the_run_is_over() -> None:
    source = Shared(failing(), has_control=False)
    source.parts.put_nowait(END)
    outcome, told = await sit(source, "take_control", "watch", "wait", "quit", is_typed=True)
    assert outcome == ConsoleOutcome("finished", 1)
    assert "take_control: this prompt holds control\n" in told
    assert "watch: another console, or nobody, holds control\n" in told
    assert told.count("the run has finished with exit code 1; `quit` leaves\n") == 1


async def test_who_steps_for_one_agent_says_so_once() -> None:
    source = paused()
    _, told = await sit(source, "scope shop_1", "pause", "scope nobody", "scope all", "quit stop")
    assert source.asked == [stimuli.PauseRequest("shop_1")]
    assert "steps are for shop_1" in told
    assert "there is no agent 'nobody'" in told
    assert "steps are for the whole run" in told
