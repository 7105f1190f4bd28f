"""What an agent is given ahead, over a link: told, taken back, and never heard of before what comes before it."""

from __future__ import annotations

from fake_daemon import Rig

from octogram_tui.engine.stimuli import AttemptReport, OutputReport, RecallReport, TroubleReport
from octogram_tui.model.ids import AttemptId

FIRST, SECOND = AttemptId.parse("s/a@one#1"), AttemptId.parse("s/b@one#1")


def give_both(rig: Rig) -> None:
    """Tell the agent to do one, and another one after it."""
    rig.link.run(FIRST, "own.noop", {}, None)
    rig.link.run(SECOND, "own.noop", {}, None, after=FIRST)


async def test_it_is_sent_with_the_name_of_what_comes_before_it_and_taken_back_by_both(rig: Rig) -> None:
    channel = await rig.up()
    give_both(rig)
    rig.link.recall(SECOND, FIRST)
    assert "after" not in await channel.expect("run")
    assert (await channel.expect("run"))["after"] == str(FIRST)
    recall = await channel.expect("recall")
    assert (recall["id"], recall["after"], recall["seq"]) == (str(SECOND), str(FIRST), 3)
    channel.say("recalled", seq=1, id=str(SECOND), after=str(FIRST), begun=True)
    assert await rig.report(RecallReport) == RecallReport("one", SECOND, FIRST, True)
    channel.say("recalled", seq=2, id="s/a@two#1", after=str(FIRST), begun=True)
    assert "not believed" in (await rig.report(TroubleReport)).message


async def test_lines_that_come_before_the_end_of_what_comes_before_are_told_after_it(rig: Rig) -> None:
    """As after a connection that was lost: what was printed comes first then."""
    channel = await rig.up()
    give_both(rig)
    channel.say("output", id=str(SECOND), lines=["of the second"], bytes=10)
    channel.say("output", id=str(FIRST), lines=["of the first"], bytes=10)
    channel.say("finished", seq=1, id=str(FIRST), state="ok", result=1)
    channel.say("output", id=str(SECOND), lines=["more"], bytes=10)
    channel.say("finished", seq=2, id=str(SECOND), state="ok", result=2)
    await rig.told(lambda stimulus: isinstance(stimulus, AttemptReport) and stimulus.attempt == SECOND)
    told = [s for s in rig.stimuli if isinstance(s, OutputReport | AttemptReport)]
    assert [(s.attempt, s.lines if isinstance(s, OutputReport) else s.result) for s in told] == [
        (FIRST, ["of the first"]),
        (FIRST, 1),
        (SECOND, ["of the second"]),
        (SECOND, ["more"]),
        (SECOND, 2),
    ]
