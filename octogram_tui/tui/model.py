"""What the console knows: the folds, the clock, and what the operator has chosen to look at."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime

from octogram_tui.engine.events import Event, JobOutput, JobStarted
from octogram_tui.engine.stimuli import RerunRequest
from octogram_tui.journal.runbook import RunBook
from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.board import Board
from octogram_tui.projection.edited import Edited
from octogram_tui.projection.estimate import Expectation, PastRun
from octogram_tui.projection.folds import Folds
from octogram_tui.projection.lesson import Lesson
from octogram_tui.projection.loads import Loads
from octogram_tui.projection.log_view import Scope
from octogram_tui.projection.logbook import Logbook
from octogram_tui.projection.origins import Known
from octogram_tui.projection.outline import Outline
from octogram_tui.projection.reasons import Reasons
from octogram_tui.projection.row_states import Phase, State
from octogram_tui.projection.rows import AgentRow, AttemptRow, Group, InstanceRow, Kind, Row, RowKey
from octogram_tui.projection.source import ReadText, Source, no_text
from octogram_tui.projection.ticks import NO_TICKS
from octogram_tui.projection.timeline import Timeline
from octogram_tui.projection.variables import Variable, Variables
from octogram_tui.tui.by_hand import ByHand
from octogram_tui.tui.hints import Hints
from octogram_tui.tui.player import Player
from octogram_tui.tui.scope import StepScope
from octogram_tui.tui.time_line import History, TimeLine
from octogram_tui.tui.watches import Watches

Subject = Row | AgentRow | Variable


class Model:
    """The console's memory. Widgets read it; only `apply` and the operator's choices change it."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        is_replay: bool = False,
        past: Sequence[PastRun] = (),
        read_text: ReadText = no_text,
        history: History | None = None,
    ) -> None:
        self.head = Folds(past=past, read_text=read_text)  # what is known of all that came
        self.time = TimeLine(self.head, Logbook(marks_attempts=True), history)
        self.player = Player(self.time)
        self.watches = Watches()
        self.outline = Outline(self.board)
        self.scope = StepScope(self)  # whom steps, pause and go are for
        self.by_hand = ByHand(self)
        self.lesson: Lesson | None = None  # of the demo
        self.hints: Hints | None = None  # for those who want some
        self.runs: RunBook | None = None  # those of this machine
        self.is_replay = is_replay
        self._clock = clock
        self._ticks = time.monotonic if clock is time.time else clock  # a clock that nobody sets
        self._ahead_s = 0.0  # of it is the run's time
        self._wall = ("", -1.0)  # from which that was reckoned
        self._lost_s: float | None = None

    def lose(self) -> None:
        """Nothing more will come, though the run has not finished: what is shown is the last it said."""
        if self._lost_s is None:
            self._lost_s = self.latest_s

    @property
    def is_lost(self) -> bool:
        """Whether the run's host went away, and what is looked at is the last it said."""
        return self.has_lost_host and not self.is_back

    @property
    def has_lost_host(self) -> bool:
        """Whether the run's host went away, whatever is looked at."""
        return self._lost_s is not None

    def apply(self, events: list[Event], *, waiting: int = 0) -> list[tuple[Event, Exception]]:
        """Take events in. Gives those that could not be, and why: they are left out, and those after them are not.

        waiting: how many more there are already
        """
        refused = []
        while self.time.copy_on():  # somebody folds without waiting for it
            pass
        for event in events:
            try:
                self._apply(event)
            except Exception as error:
                refused.append((event, error))
        try:
            self.time.came(len(events) + waiting)
        except Exception as error:  # what cannot be copied costs the way back, and not the way on
            refused += [(event, error) for event in events[-1:]]
        return refused

    def _apply(self, event: Event) -> None:
        kind = event.TYPE
        written = self.head.written
        self.head.apply(event)
        if self.head.written != written:
            assert isinstance(event, (JobOutput, JobStarted))
            row = self.head.board.instances.get(event.instance) if event.instance is not None else None
            if row is not None:
                event.instance = row.key  # one name for all that is kept under it
            self.time.log.apply(event)
        if kind == "job_output":  # most are, and nothing else is about them
            return
        if kind not in NO_TICKS:
            self.time.ticks.apply(event)
        if self.lesson is not None:
            self.lesson.apply(event)
        if self.watches.items:
            board = self.head.board
            self.watches.follow(is_still=board.is_paused and not board.in_flight)

    # What is looked at

    def same(self, subject: Subject | None) -> Subject | None:
        """Find what there was at another moment; where a row is not there at this one, what holds it."""
        if isinstance(subject, AgentRow):
            return self.board.agents.get(subject.name)
        if isinstance(subject, Variable):
            return self.variables.by_name.get(subject.name)
        if subject is None:
            return None
        key: RowKey = subject.key
        if isinstance(key, InstanceId):
            found = self.board.row(key)
            key = (key.stage, key.job, key.agent)
            if found is not None:
                return found
        return next((row for end in range(len(key), 0, -1) if (row := self.board.row(key[:end])) is not None), None)

    @property
    def shown(self) -> Folds:
        """All that is known at the moment that is looked at."""
        return self.time.shown

    @property
    def logbook(self) -> Logbook:
        """What was written by then."""
        return self.time.shown_log

    def labels_of(self, agent: str) -> tuple[str, ...]:
        """Give the labels of an agent, as a filter looks for them."""
        found = self.board.agents.get(agent)
        return () if found is None else found.labels

    @property
    def board(self) -> Board:
        """The state of the run."""
        return self.shown.board

    @property
    def variables(self) -> Variables:
        """The variables."""
        return self.shown.variables

    @property
    def expectation(self) -> Expectation:
        """How long the rest will take."""
        return self.shown.expectation

    @property
    def source(self) -> Source:
        """The scenario's text."""
        return self.shown.source

    @property
    def timeline(self) -> Timeline:
        """When what ran."""
        return self.shown.timeline

    @property
    def edited(self) -> Edited:
        """The arguments that the operator gave rows for their next attempts."""
        return self.shown.edited

    @property
    def reasons(self) -> Reasons:
        """Why things are as they are."""
        return self.shown.reasons

    @property
    def loads(self) -> Loads:
        """How busy the machines are."""
        return self.shown.loads

    @property
    def is_back(self) -> bool:
        """Whether an earlier moment is looked at than the latest that is known."""
        return self.time.is_back

    @property
    def known(self) -> Known:
        """What explanations and comparisons are made from."""
        return Known(self.board, self.variables, self.reasons, self.source, self.now_s)

    def written(self, row: InstanceRow, attempt: AttemptRow) -> list[str]:
        """Give what an attempt wrote, as far as it is here."""
        origins = self.logbook.attempts.get(row.key, ())
        lines = next((origin.lines for origin in origins if origin.attempt == attempt.number), [])
        return [line.text for line in lines if line.stream in ("stdout", "stderr")]

    @property
    def wall_s(self) -> float:
        """The time of day, as seconds since 1970."""
        return self._clock()

    @property
    def now_s(self) -> float:
        """Seconds since the run's start: by the clock while it lives and is heard of, else by its last event."""
        return self.board.at_s if self.is_back else self.latest_s

    @property
    def behind(self) -> tuple[int, float]:
        """How many events, and seconds, the moment that is looked at is behind the latest."""
        return self.head.seq - self.shown.seq, max(0.0, self.latest_s - self.shown.at_s)

    @property
    def latest_s(self) -> float:
        """What `now_s` is as long as nobody looks back."""
        board = self.head.board
        if self._lost_s is not None:
            return self._lost_s
        if self.is_replay or board.phase is Phase.FINISHED or not board.started_wall:
            return board.at_s
        if self._wall != board.wall:
            self._wall = board.wall
            self._ahead_s = self._reckoned_s(*board.wall) - self._ticks()
        return max(board.at_s, self._ticks() + self._ahead_s)

    def _reckoned_s(self, wall: str, at_s: float) -> float:
        """Give the run's time of now, by what the clock on the wall had at one of its seconds."""
        try:
            return at_s + self._clock() - datetime.fromisoformat(wall).timestamp()
        except ValueError:
            return self.head.board.at_s

    @property
    def estimate_s(self) -> float | None:
        """When the stages will be done by the run's clock, if nothing holds it from now on; None when nobody knows."""
        rest_s = None if self.is_replay or self.is_back else self.expectation.rest_s(self.now_s)
        return None if rest_s is None else self.now_s + rest_s

    @property
    def started_s(self) -> float | None:
        """When the run started, by the clock (seconds since 1970); None where it does not say."""
        try:
            return datetime.fromisoformat(self.board.started_wall).timestamp()
        except ValueError:
            return None

    @property
    def is_failing(self) -> bool:
        """Whether the run waits because something failed."""
        return self.board.is_paused and bool(self.board.undecided)

    @property
    def held(self) -> InstanceRow | None:
        """What the gate holds and lets through next, of those that steps are for; None while it holds nothing."""
        return self.scope.next

    @property
    def is_held(self) -> bool:
        """Whether those whom steps are for stand at a shut gate; of several, any of them."""
        board = self.board
        if self.scope.is_all:
            return board.is_paused
        return any(board.is_agent_held(name) for name in self.scope.agents())

    def log_of(self, row: Row | None) -> Row | None:
        """Pick whose output to show while the run is followed: what failed, else the stage, at the end everything."""
        if self.is_failing or row is None:
            return row
        return row.stage if self.board.phase is Phase.RUNNING else None

    def focus_row(self) -> Row | None:
        """Pick the row where the action is: the first failure when the run waits for it, else the job that runs."""
        board = self.board
        if self.is_failing:
            return board.first_failure
        stage = board.current_stage
        if stage is None:
            return board.stages[0] if board.stages else None
        held = self.held
        if held is not None:
            return held
        running = [job for job in stage.children if isinstance(job, Group) and job.tally[State.RUNNING]]
        if running:
            return running[-1]
        started = [job for job in stage.children if isinstance(job, Group) and job.known]
        return started[-1] if started and stage.final is None else stage


def scope_of(subject: Subject | None) -> Scope:
    """Say which output belongs to what is looked at."""
    if isinstance(subject, AgentRow):
        return Scope(agent=subject.name)
    if isinstance(subject, InstanceRow):
        return Scope(instance=subject.key)
    if isinstance(subject, Group):
        job = "" if subject.kind is Kind.STAGE else (subject.above if subject.kind is Kind.AGENT else subject).name
        return Scope(stage=subject.stage.name, job=job, agent=subject.agent)
    return Scope()


def title_of(subject: Subject | None) -> str:
    """Name what is looked at, in a few words."""
    if isinstance(subject, InstanceRow):
        item = f" [{subject.label}]" if subject.parent.kind is Kind.AGENT else ""
        return f"{subject.job.name} @ {subject.agent}{item}"
    if isinstance(subject, Group):
        return f"{subject.above.name} @ {subject.agent}" if subject.kind is Kind.AGENT else subject.name
    return subject.name if subject is not None else "everything"


def most_telling(stage: Group, agent: str) -> InstanceRow | None:
    """Pick what an agent did in a stage: what failed, what runs, else the latest."""
    mine = [row for row in stage.below() if row.agent == agent]
    for state in (State.FAILED, State.LOST, State.HELD, State.RETRYING, State.RUNNING):
        for row in mine:
            if row.state is state:
                return row
    started = [row for row in mine if row.last is not None]
    return started[-1] if started else (mine[0] if mine else None)


def rerun_of(row: Row) -> RerunRequest:
    """Make the request to run a row again: a stage, a job, what an agent does in one, or an instance."""
    if isinstance(row, InstanceRow):
        return RerunRequest(row.stage.name, row.job.name, row.agent, row.key)
    job = "" if row.kind is Kind.STAGE else (row.above if row.kind is Kind.AGENT else row).name
    return RerunRequest(row.stage.name, job, row.agent)


def line_of(row: Row | None) -> int:
    """Find the line of the scenario that a row stands on, or that what holds it does; 0 when there is none."""
    group = row.job if isinstance(row, InstanceRow) else row
    while group is not None and not group.line:
        group = group.parent
    return group.line if group is not None else 0
