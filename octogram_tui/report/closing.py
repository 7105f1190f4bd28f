"""The block that ends a plain log: how it ended, what failed first, counts, the slowest, files, and what to do next."""

from __future__ import annotations

import os
from collections.abc import Mapping

from octogram_tui.engine import events as ev
from octogram_tui.errors import EXIT_TEXTS, ExitCode
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.breakpoints import NOT_MET, BreakpointList
from octogram_tui.projection.clusters import Cluster, short_names
from octogram_tui.projection.summary import FailureNote, Summary
from octogram_tui.projection.tails import Tails
from octogram_tui.report import phrases
from octogram_tui.report.plainlog import PlainLog

TAIL_LINES = 10
SHOWN_NAMES = 5
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


class Closing:
    """Remembers where jobs are written in the scenario, and writes the block from the folds of the run."""

    def __init__(
        self,
        log: PlainLog,
        summary: Summary,
        tails: Tails,
        breakpoints: BreakpointList,
        files: Mapping[str, str],
        again: str,
        rerun: str = "",
    ) -> None:
        self._log = log
        self._breakpoints = breakpoints
        self._summary = summary
        self._tails = tails
        self._files = files
        self._again = again
        self._rerun = rerun
        self._line_of: dict[tuple[str, str], int] = {}

    def apply(self, event: ev.Event) -> None:
        """Take one event in: only plans matter."""
        if not isinstance(event, ev.RunStarted | ev.ScenarioReloaded):
            return
        for stage in event.plan:
            for job in stage.get("jobs") or ():
                line = int(job.get("line") or stage.get("line") or 0)
                self._line_of[(str(stage.get("stage")), str(job.get("job")))] = line

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
        """Write the block."""
        summary, add, text = self._summary, self._log.add, self._log.text
        clusters = [cluster for cluster in summary.clusters.all if not cluster.first.struck.is_tolerated]
        if self._log.style.github:
            self._annotate(clusters)
        add("")
        add(self._verdict())
        if summary.reason:
            add(f"  {text(summary.reason)}")
        if clusters:
            self._first_failure(clusters[0])
            for cluster in clusters[1:SHOWN_FAILURES]:
                where = text(cluster.first.struck.where) + self._others(cluster)
                add(f"also failed: {where}: {text(cluster.first.cause)}")
            if len(clusters) > SHOWN_FAILURES:
                add(f"also failed: {sum(map(len, clusters[SHOWN_FAILURES:]))} more")
        if summary.unclean:
            add(f"not confirmed clean: {text(', '.join(summary.unclean))}")
        counts = [f"{count} {text(state)}" for state, count in sorted(summary.counts.items()) if count]
        retries = f", {summary.retries} retr{'y' if summary.retries == 1 else 'ies'}" if summary.retries else ""
        add(f"jobs: {', '.join(counts) or 'none ran'}{retries}")
        for one in self._breakpoints.listed:
            if one.by == "command line":
                standing = "was not met" if one.standing == NOT_MET else text(one.standing)
                add(f"breakpoint {one.number}, {text(one.words)}: {standing}")
        if summary.slowest:
            add("slowest:")
            for slow in summary.slowest:
                add(f"    {phrases.duration(slow.duration_s):>6} {text(str(slow.instance))}")
        for what, path in self._files.items():
            add(f"{text(what)}: {text(path)}")
        if summary.run:
            add(f"replay: octogram-tui replay {text(summary.run)}")
            if summary.exit_code is None:
                add(f"go on with it: octogram-tui resume {text(summary.run)}")
            if summary.exit_code in (None, ExitCode.NOT_CLEANED):
                add(f"end what it left: octogram-tui clean {text(summary.run)}")
        if self._rerun and summary.exit_code in RERUN_AFTER:
            add(f"only what failed, again: {text(self._rerun)}")
        if self._again:
            add(f"again: {text(self._again)}")

    def _verdict(self) -> str:
        code = self._summary.exit_code
        took = f"after {phrases.lasted(self._summary.duration_s, self._summary.paused_s)}"
        if code is None:
            return self._log.colored(f"UNFINISHED {took}: the run did not come to its end", phrases.COLORS["failed"])
        if code == ExitCode.OK:
            return f"{self._log.colored('OK', phrases.COLORS['ok'])} {took}"
        known = code in set(ExitCode)
        meaning = EXIT_TEXTS[ExitCode(code)] if known else "an exit code that this program does not know"
        return f"{self._log.colored('FAILED', phrases.COLORS['failed'])} {took}, exit code {code}: {meaning}"

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

    def _line(self, note: FailureNote) -> int:
        return 0 if note.instance is None else self._line_of.get((note.instance.stage, note.instance.job), 0)

    def _place(self, note: FailureNote) -> str:
        line = self._line(note)
        return self._log.text(f" ({self._summary.scenario}:{line})") if line else ""

    def _annotate(self, clusters: list[Cluster[FailureNote]]) -> None:
        """Point at the scenario's lines on the pages of GitHub."""
        file = os.path.relpath(self._summary.scenario) if self._summary.scenario else ""
        for cluster in clusters[:SHOWN_FAILURES]:
            failure = cluster.first.struck
            where = self._log.text(str(failure.instance or failure.agent))
            message = f"{where}{self._others(cluster)}: {self._log.text(cluster.first.cause)}"
            if cluster is clusters[0] and len(clusters) > SHOWN_FAILURES:
                message += f" (and {sum(map(len, clusters[1:]))} more failures)"
            line = self._line(failure) or 1
            title = self._log.text(failure.instance.job if failure.instance else "agent")
            properties = f"file={_property(self._log.text(file))},line={line},title={_property(title)}"
            self._log.add(f"::error {properties}::{_data(message)}")


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
