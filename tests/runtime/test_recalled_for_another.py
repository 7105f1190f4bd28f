"""A process took something back and died before it was answered; the answer comes to the one that took the run up."""

from __future__ import annotations

from fake_daemon import Rig

from octogram_tui.engine.stimuli import RecallReport, TroubleReport
from octogram_tui.model.ids import AttemptId

FIRST, SECOND = AttemptId.parse("s/a@one#1"), AttemptId.parse("s/b@one#1")


async def test_what_was_taken_back_for_another_process_is_heard(rig: Rig) -> None:
    """The agent knows nothing more of what it never began: neither its welcome nor anything here has it."""
    channel = await rig.up(knows={str(FIRST): "running"})
    channel.say("recalled", seq=1, id=str(SECOND), after=str(FIRST), begun=False)
    assert await rig.report(RecallReport) == RecallReport("one", SECOND, FIRST)
    rig.link.recall(SECOND, FIRST)
    await channel.expect("recall")
    channel.say("recalled", seq=2, id=str(SECOND), after=str(FIRST), begun=False)
    assert await rig.report(RecallReport) == RecallReport("one", SECOND, FIRST)
    assert not [stimulus for stimulus in rig.stimuli if isinstance(stimulus, TroubleReport)]
