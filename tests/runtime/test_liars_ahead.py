"""An agent says things of what it was given ahead that cannot be: none of that is believed, kept without end, or held
against what it says once it may."""

from __future__ import annotations

import pytest
from fake_daemon import Rig

from octogram_tui.engine.stimuli import AttemptReport, OutputReport, TroubleReport
from octogram_tui.model.ids import AttemptId
from octogram_tui.runtime import inbox

FIRST, SECOND = AttemptId.parse("s/a@one#1"), AttemptId.parse("s/b@one#1")


def give_both(rig: Rig) -> None:
    """Tell the agent to do one, and another one after it."""
    rig.link.run(FIRST, "own.noop", {}, None)
    rig.link.run(SECOND, "own.noop", {}, None, after=FIRST)


async def test_an_end_before_that_of_what_it_follows_does_not_stand_in_for_its_own(rig: Rig) -> None:
    """The run takes none of what has not begun: the one that comes in time would be the second, and passed over."""
    channel = await rig.up()
    give_both(rig)
    channel.say("finished", seq=1, id=str(SECOND), state="ok", result="FORGED")
    channel.say("finished", seq=2, id=str(FIRST), state="ok", result=1)
    channel.say("finished", seq=3, id=str(SECOND), state="ok", result=2)
    await rig.told(lambda stimulus: isinstance(stimulus, AttemptReport) and stimulus.result == 2)
    ends = [(s.attempt, s.result) for s in rig.stimuli if isinstance(s, AttemptReport)]
    assert ends == [(FIRST, 1), (SECOND, 2)]


async def test_lines_that_come_before_what_they_follow_are_not_kept_without_end(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A daemon has no more of them under way than it has credit for."""
    monkeypatch.setattr(inbox, "MOST_EARLY_BYTES", 1000)
    channel = await rig.up()
    give_both(rig)
    for _ in range(20):
        channel.say("output", id=str(SECOND), lines=["x" * 100], bytes=100)
    assert "which cannot have begun: not believed" in (await rig.report(TroubleReport)).message
    channel.say("finished", seq=1, id=str(FIRST), state="ok", result=1)
    channel.say("finished", seq=2, id=str(SECOND), state="ok", result=2)
    await rig.told(lambda stimulus: isinstance(stimulus, AttemptReport) and stimulus.attempt == SECOND)
    kept = sum(len(s.lines) for s in rig.stimuli if isinstance(s, OutputReport))
    assert 1 <= kept < 10


@pytest.mark.parametrize("proto", [[1, 2], [1], [], None])
async def test_a_daemon_of_an_older_build_is_given_nothing_ahead(rig: Rig, proto: list[int] | None) -> None:
    """It does not know that word, and would begin both at once."""
    rig.link.start()
    channel = await rig.channel()
    channel.boot()
    await channel.expect("hello")
    channel.say("welcome", agent="one", pid=1, boot="b", home="/home/one", rx=0, proto=proto)
    await rig.connected()
    rig.link.run(FIRST, "own.noop", {}, None)
    with pytest.raises(ValueError, match="older"):
        rig.link.run(SECOND, "own.noop", {}, None, after=FIRST)
    await channel.expect("run")
    assert not [message for message in channel.received if message["t"] == "run"]
