"""An agent keeps what it has told until that is on our disk: nothing is acknowledged before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_daemon import Rig
from played_run import Journal, Play
from test_driver_breaks import SCENARIO

from octogram_tui.engine.stimuli import AttemptReport, ProgressReport
from octogram_tui.errors import LinkLost
from octogram_tui.model.ids import AttemptId
from octogram_tui.runtime import inbox as inbox_module

OURS = "s/a@one#1"


@pytest.mark.fault(56)
async def test_nothing_is_acknowledged_that_could_get_lost(
    rigs: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox_module, "ACK_AFTER_S", 0.001)
    waiting: list[Callable[[], None]] = []
    rig = rigs(deal={"when_safe": waiting.append})
    channel = await rig.up()
    rig.tell(OURS)
    await channel.expect("run")
    channel.say("finished", seq=1, id=OURS, state="ok", result=1)
    await rig.report(AttemptReport)
    async with asyncio.timeout(60):
        while not waiting:
            await asyncio.sleep(0.001)
    assert not channel.received
    for then in waiting:
        then()
    assert (await channel.expect("ack"))["seq"] == 1


async def test_an_acknowledgement_for_another_daemon_is_not_given(rigs: Callable[..., Rig]) -> None:
    waiting: list[Callable[[], None]] = []
    rig = rigs(deal={"when_safe": waiting.append})
    channel = await rig.up()
    rig.tell(OURS)
    channel.say("finished", seq=1, id=OURS, state="ok", result=1)
    channel.lose(LinkLost("cut"))
    channel, _hello = await rig.back(pid=2)
    await channel.expect("stop")
    for then in waiting:
        then()
    assert not channel.received


async def test_the_driver_tells_when_the_disk_has_it(tmp_path: Path) -> None:
    (tmp_path / "s.yml").write_text(SCENARIO)
    play = Play(tmp_path / "s.yml")
    journal: Journal = play.journal
    driver = play.driver
    safe: list[str] = []
    driver.when_safe(lambda: safe.append("nothing was there"))
    assert safe == ["nothing was there"]
    driver.submit(ProgressReport("one", AttemptId.parse(OURS), "x"))
    driver.when_safe(lambda: safe.append("fed"))
    assert len(safe) == 1
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert safe[1:] == ["fed"], "nothing came of it, so nothing has to be written"
    journal.written_seq = 7  # as if something had
    driver.when_safe(lambda: safe.append("written"))
    driver.synced()
    await asyncio.sleep(0)
    assert len(safe) == 2
    journal.synced_seq = 7
    driver.synced()
    await asyncio.sleep(0)
    assert safe[2:] == ["written"]
    await driver.close()


async def test_what_one_turn_sends_to_an_agent_goes_in_one_piece(rigs: Callable[..., Rig]) -> None:
    rig = rigs()
    channel = await rig.up()
    pieces: list[bytes] = []
    write = channel.write

    def counted(data: bytes) -> None:
        pieces.append(data)
        write(data)

    channel.write = counted  # type: ignore[method-assign]
    assert rig.link.gather()
    assert not rig.link.gather()
    rig.tell(OURS, "s/b@one#1", "s/c@one#1")
    assert not pieces
    rig.link.deliver()
    assert len(pieces) == 1
    assert [(await channel.expect("run"))["seq"] for _ in range(3)] == [1, 2, 3]
    rig.tell("s/d@one#1")
    assert len(pieces) == 2
