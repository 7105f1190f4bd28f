"""How much the console does for a frame, counted: as much at ten thousand instances as at a hundred."""

from collections.abc import AsyncIterator

from console_app import StillSource, console, settled
from textual.events import Key
from textual.pilot import Pilot

from octogram_tui.engine import events as ev
from octogram_tui.engine.events import Event
from octogram_tui.model.entries import AgentEntry, StageEntry
from octogram_tui.model.ids import InstanceId
from octogram_tui.tui.app import ConsoleOutcome
from octogram_tui.tui.event_feed import SLICE_EVENTS, EventFeed
from octogram_tui.tui.pace import FRAME_S, LONGEST_S, Pace
from octogram_tui.tui.typed_first import TypedFirst

NAMES = [f"node_{number}" for number in range(50)]


def numbered(events: list[Event], first: int) -> list[Event]:
    for seq, event in enumerate(events, first):
        event.seq, event.at_s = seq, seq / 100
    return events


def done(job: str) -> list[Event]:
    events: list[Event] = []
    for name in NAMES:
        key = InstanceId("s", job, name)
        events.append(ev.JobStarted(instance=key))
        events.append(ev.JobOutput(instance=key, agent=name, lines=[f"{job} on {name}"]))
        events.append(ev.JobFinished(instance=key, state="ok", duration_s=0.5))
    return events


async def painted_for_fifty(pilot: Pilot[ConsoleOutcome], job: str) -> int:
    """Let fifty instances end, and count the lines that were painted for it."""
    app = await settled(pilot)
    assert app.run_screen is not None
    panes = app.run_screen.panes.values()
    app.take_in(numbered(done(job), app.model.board.seq + 1))
    before = sum(pane.painted_lines for pane in panes)
    app.show_what_came()
    await pilot.pause()
    return sum(pane.painted_lines for pane in panes) - before


async def test_a_frame_paints_no_more_lines_the_more_instances_there_are() -> None:
    counts = []
    for jobs in (2, 100):
        names = [f"job {number}" for number in range(jobs + 1)]
        plan: list[StageEntry] = [{"stage": "s", "jobs": [{"job": name} for name in names]}]
        agents: list[AgentEntry] = [{"agent": name} for name in NAMES]
        begun: list[Event] = [ev.RunStarted(run="r", scenario="s", plan=plan, agents=agents)]
        begun.append(ev.StageStarted(stage="s", agents=NAMES))
        past = [event for name in names[:-1] for event in done(name)]
        app = console(StillSource(numbered([*begun, *past], 1)))
        async with app.run_test(size=(200, 60)) as pilot:
            counts.append(await painted_for_fifty(pilot, names[-1]))
    assert 0 < counts[1] <= 60 * 4, "no more than is seen"
    assert counts[1] <= counts[0] * 1.5 + 40


class Taking:
    """Takes events, and notes what was done in which order."""

    def __init__(self) -> None:
        self.typed = TypedFirst()
        self.pace = Pace()
        self.did: list[str] = []

    def take_in(self, events: list[Event]) -> None:
        self.did.append("slice")
        if self.did.count("slice") == 2:
            self.typed.came(Key("j", "j"))

    def copy_on(self) -> bool:
        return False

    def show_what_came(self) -> None:
        self.did.append("frame")

    def source_ended(self) -> None:
        self.did.append("end")


class Batch:
    has_control = True
    is_connected = True

    def __init__(self, count: int) -> None:
        self.refusals: list[str] = []
        self._count = count

    async def events(self) -> AsyncIterator[list[Event]]:
        yield [ev.WarningGiven(message="w") for _ in range(self._count)]

    def send(self, _: object) -> None: ...

    async def close(self) -> None: ...


async def test_events_are_taken_in_by_slices_and_what_is_typed_goes_first() -> None:
    app = Taking()
    settled_by_key = app.typed.settled

    async def settled_and_noted() -> None:
        if app.typed.waiting:
            app.did.append("key")
            app.typed.done()
            app.typed.shown()
        await settled_by_key()

    app.typed.settled = settled_and_noted  # type: ignore[method-assign]
    feed = EventFeed(Batch(SLICE_EVENTS * 3 + 1), app)
    await feed.run()
    assert feed.slices == 4
    assert [word for word in app.did if word != "frame"] == ["slice", "slice", "key", "slice", "slice", "end"]


def test_frames_are_the_rarer_the_longer_they_take() -> None:
    spent = [0.0]
    pace = Pace(lambda: spent[0])
    assert pace.next_frame() == FRAME_S
    for _ in range(20):
        with pace.drawing():
            spent[0] += 0.01
        longer = pace.next_frame()
    assert FRAME_S < longer < LONGEST_S
    for _ in range(20):
        with pace.drawing():
            spent[0] += 1.0
        longer = pace.next_frame()
    assert longer == LONGEST_S
