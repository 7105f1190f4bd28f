"""The block that ends a plain log: how it ended, what failed first, counts, the slowest, files, and what to do next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from octogram_tui import streams
from octogram_tui.engine import events as ev
from octogram_tui.errors import EXIT_TEXTS, ExitCode
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.breakpoints import NOT_MET, BreakpointList
from octogram_tui.projection.clusters import Cluster, short_names
from octogram_tui.projection.summary import FailureNote, Slow, Summary
from octogram_tui.projection.tails import Tails
from octogram_tui.report import phrases
from octogram_tui.report.plainlog import PlainLog

if TYPE_CHECKING:
    from octogram_tui.report.service import Mark

TAIL_LINES = 10
SHOWN_NAMES = 5
MOST_TAILS = 100
"""Of so many failures, the first ones, the last lines are kept for the end."""
RERUN_AFTER = (
    ExitCode.JOB_FAILED,
    ExitCode.SCENARIO,
    ExitCode.AGENT_LOST,
    ExitCode.TIME_LIMIT,
    ExitCode.NOT_CLEANED,
    ExitCode.HELD,
)
"""After what ends a part of a run may be repeated: it had begun, and nobody wanted it to end."""
SHOWN_FAILURES = 10
"""GitHub shows ten annotations of a kind for each step; root causes come first, so these are the ones that count."""


class Repeats(NamedTuple):
    """What a person types to repeat a run; empty for one that cannot be, as the replay of one.

    rerun: gives the command for what failed in it; held: the one that holds it where it fails, None where it does so
    anyway. Only a run that fails pays for making them.
    """

    again: str = ""
    rerun: Callable[[], str] | None = None
    held: Callable[[], str] | None = None


NO_REPEATS = Repeats()


class Closing:
    """Remembers where jobs are written in the scenario, and writes the block from the folds of the run.

    What a CI service keeps of the end it has from here too: the members that are no methods, once the run is over.
    """

    def __init__(
        self,
        log: PlainLog,
        summary: Summary,
        tails: Tails,
        breakpoints: BreakpointList,
        files: Mapping[str, str],
        repeats: Repeats = NO_REPEATS,
    ) -> None:
        self.files = files
        self._log = log
        self._breakpoints = breakpoints
        self._summary = summary
        self._tails = tails
        self.repeats = repeats
        self.state = ""  # of the run, where more is known of it than its events tell: running, crashed, damaged
        self._line_of: dict[tuple[str, str], int] = {}
        self._told_by_lines: set[InstanceId] = set()

    def apply(self, event: ev.Event) -> None:
        """Take one event in: only plans matter."""
        if not isinstance(event, ev.RunStarted | ev.ScenarioReloaded):
            return
        for stage in event.plan:
            for job in stage.get("jobs") or ():
                line = int(job.get("line") or stage.get("line") or 0)
                self._line_of[(str(stage.get("stage")), str(job.get("job")))] = line

    def let_go(self, event: ev.JobFinished) -> None:
        """Let go of the lines of an attempt that has ended, unless the end may tell of them.

        Those of the first failures are for it, and would be the first to go where there are many.
        """
        if event.will_retry:
            return
        cluster = self._summary.clusters.holding(event.instance)
        is_first = event.state == "failed" and cluster is not None and len(cluster) == 1
        if is_first and len(self._told_by_lines) < MOST_TAILS:
            self._told_by_lines.add(event.instance)
        if event.instance not in self._told_by_lines or event.state != "failed":
            self._tails.forget(event.instance)

    def tail(self, instance: InstanceId, attempt: int, failure: Failure) -> list[str]:
        """Give the last lines that an attempt wrote; when none came, those that its failure carries."""
        lines = self._tails.of(instance, attempt).lines
        if lines:
            return list(lines)[-TAIL_LINES:]
        traceback = failure.detail.get("traceback")
        if isinstance(traceback, str):  # a procedure that has a defect
            return traceback.splitlines()[-TAIL_LINES:]
        last = failure.detail.get("last_lines")
        return [str(line) for line in last[-TAIL_LINES:]] if isinstance(last, list) else []

    def write(self) -> None:
        """Write the block, and let the CI service keep of it what it does."""
        summary, add, text = self._summary, self._log.add, self._log.text
        service = self._log.style.service
        if service is not None:
            self._log.order(service.before_end(self.headline, self.marks, self.left_out))
        clusters = self._clusters
        add("")
        add(self._verdict())
        if summary.reason:
            add(f"  {text(summary.reason)}")
        if clusters:
            self._first_failure(clusters[0])
            for cluster in clusters[1:SHOWN_FAILURES]:
                where = text(cluster.first.struck.where) + self._others(cluster)
                add(f"also failed: {where}: {text(cluster.first.cause)}")
            if self.left_out:
                add(f"also failed: {self.left_out} more")
        if summary.unclean:
            add(f"not confirmed clean: {text(', '.join(summary.unclean))}")
        add(f"jobs: {text(self.counted)}")
        for one in self._breakpoints.listed:
            if one.by == "command line":
                standing = "was not met" if one.standing == NOT_MET else text(one.standing)
                add(f"breakpoint {one.number}, {text(one.words)}: {standing}")
        if summary.slowest:
            add("slowest:")
            for slow in summary.slowest:
                add(f"    {phrases.duration(slow.duration_s):>6} {text(str(slow.instance))}")
        for what, path in self.files.items():
            add(f"{text(what)}: {text(path)}")
        for what, command in self.commands.items():
            add(f"{what}: {text(command)}")
        if service is not None:
            self._log.flush()
            self._log.order(service.end(self))

    # What a CI service keeps.

    @property
    def run(self) -> str:
        """The run's name."""
        return self._summary.run

    @property
    def scenario(self) -> str:
        """The scenario's file, as it was given."""
        return self._summary.scenario

    @property
    def outcome(self) -> str:
        """Give `ok`, `failed`, or `unfinished` when nobody knows."""
        return phrases.outcome_of(self._summary.exit_code)

    @property
    def exit_code(self) -> str:
        """Give the exit code; empty when there is none."""
        return "" if self._summary.exit_code is None else str(self._summary.exit_code)

    @property
    def reason(self) -> str:
        """Why the run ended as it did, where more is to be said than its exit code does."""
        return self._summary.reason

    @property
    def failed(self) -> int:
        """Count what failed and was not allowed to."""
        return sum(map(len, self._clusters))

    @property
    def left_out(self) -> int:
        """Count the failures of which `marks` tell nothing."""
        return sum(map(len, self._clusters[SHOWN_FAILURES:]))

    @property
    def slowest(self) -> list[Slow]:
        """The attempts that took longest."""
        return self._summary.slowest

    @property
    def counted(self) -> str:
        """Say how many jobs ended how."""
        counts = [f"{count} {state}" for state, count in sorted(self._summary.counts.items()) if count]
        retries = self._summary.retries
        more = f", {retries} retr{'y' if retries == 1 else 'ies'}" if retries else ""
        return f"{', '.join(counts) or 'none ran'}{more}"

    @property
    def commands(self) -> dict[str, str]:
        """Give the commands that can be of use now, by what they are for."""
        run, code = self._summary.run, self._summary.exit_code
        found = {}
        if run:
            found["replay"] = f"octogram-tui replay {run}"
            if self.state == "running":
                found["go on in a console"] = f"octogram-tui attach {run}"
            elif self.state == "damaged":
                found["make a journal of what is whole"] = f"octogram-tui journal salvage {run}"
            elif code is None:
                found["go on with it"] = f"octogram-tui resume {run}"
            if code in (None, ExitCode.NOT_CLEANED) and self.state != "running":
                found["end what it left"] = f"octogram-tui clean {run}"
        again, rerun, held = self.repeats
        if rerun is not None and code in RERUN_AFTER:
            found["only what failed, again"] = streams.hidden(rerun())
        if again:
            found["again"] = streams.hidden(again)
        if held is not None and code == ExitCode.JOB_FAILED:
            found["again, held where it fails"] = streams.hidden(held())
        return found

    @cached_property
    def marks(self) -> list[Mark]:
        """Give the causes of failure, the first first, one for all that failed alike, as many as are looked at."""
        from octogram_tui.report.service import Mark, Service

        text = self._log.text
        service: Service = self._log.style.service or Service()
        file = text(service.place(self._summary.scenario)) if self._summary.scenario else ""
        found = []
        for cluster in self._clusters[:SHOWN_FAILURES]:
            note = cluster.first.struck
            where = text(str(note.instance or note.agent))
            message = f"{where}{self._others(cluster)}: {text(cluster.first.cause)}"
            title = text(note.instance.job if note.instance else "agent")
            found.append(Mark(title, message, file, self.line(note)))
        return found

    @property
    def tails(self) -> list[list[str]]:
        """Give the last lines of the output of each of the marks."""
        notes = [cluster.first.struck for cluster in self._clusters[:SHOWN_FAILURES]]
        return [[] if each.instance is None else self.tail(each.instance, each.attempt, each.failure) for each in notes]

    @property
    def headline(self) -> str:
        """Say in a line how the run ended."""
        word, rest = self._ended()
        return f"{word} {rest}"

    @property
    def _clusters(self) -> list[Cluster[FailureNote]]:
        return [cluster for cluster in self._summary.clusters.all if not cluster.first.struck.is_tolerated]

    def _ended(self) -> tuple[str, str]:
        code = self._summary.exit_code
        took = f"after {phrases.lasted(self._summary.duration_s, self._summary.paused_s)}"
        if code is None:
            return "UNFINISHED", f"{took}: the run did not come to its end"
        if code == ExitCode.OK:
            return "OK", took
        known = code in set(ExitCode)
        meaning = EXIT_TEXTS[ExitCode(code)] if known else "an exit code that this program does not know"
        return "FAILED", f"{took}, exit code {code}: {meaning}"

    def _verdict(self) -> str:
        word, rest = self._ended()
        if self._summary.exit_code is None:
            return self._log.colored(f"{word} {rest}", phrases.COLORS["failed"])
        return f"{self._log.colored(word, phrases.COLORS['ok' if word == 'OK' else 'failed'])} {rest}"

    def _first_failure(self, cluster: Cluster[FailureNote]) -> None:
        text = self._log.text
        note = cluster.first.struck
        self._log.add(f"first failure: {text(note.where)}{self._place(note)}{self._others(cluster)}")
        self._log.add(f"    {text(cluster.first.cause)}")
        if note.failure.hint:
            self._log.add(f"    hint: {text(note.failure.hint)}")
        if note.instance is not None:
            self._log.quote(self.tail(note.instance, note.attempt, note.failure))

    def _others(self, cluster: Cluster[FailureNote]) -> str:
        """Name those that failed in the same way, once for all of them."""
        others = [note.short for note in cluster.struck[1:]]
        if not others:
            return ""
        return f" and {len(others)} more like it ({self._log.text(short_names(others, SHOWN_NAMES))})"

    def line(self, note: FailureNote) -> int:
        """Give the line of the scenario's file where the job is written that failed; 0 where there is none."""
        return 0 if note.instance is None else self._line_of.get((note.instance.stage, note.instance.job), 0)

    def _place(self, note: FailureNote) -> str:
        line = self.line(note)
        return self._log.text(f" ({self._summary.scenario}:{line})") if line else ""
