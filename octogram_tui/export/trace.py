"""A run in the Trace Event Format, which Perfetto, chrome://tracing and Speedscope open.

A process is an agent or a stage, a thread a lane of it, a slice an attempt. Times are microseconds since the beginning.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

from octogram_tui import __version__
from octogram_tui.export.account import Account
from octogram_tui.export.document import as_json
from octogram_tui.export.lanes import Stay, lanes_of
from octogram_tui.export.recorded import Recorded
from octogram_tui.export.standing import verdict_of
from octogram_tui.projection.causes import cause_of
from octogram_tui.projection.row_states import State
from octogram_tui.projection.rows import InstanceRow
from octogram_tui.projection.text import visible

By = Literal["agent", "stage"]

RUN = 1
"""The process of the run itself; those of agents or stages follow."""
STAGES, DEEDS = 1, 2
_COLOURS = {
    State.OK: "good",
    State.FAILED: "terrible",
    State.LOST: "terrible",
    State.TOLERATED: "bad",
    State.CANCELLED: "grey",
    State.SKIPPED: "grey",
    State.RUNNING: "thread_state_running",
}

Record = dict[str, Any]


def trace(account: Account, run: Recorded, by: By) -> Iterator[str]:
    """Write the trace in pieces, an event a line."""
    about = {
        "exporter": f"octogram-tui {__version__}",
        "run": account.board.run,
        "scenario": account.board.scenario,
        "started_wall": account.board.started_wall,
        "state": verdict_of(account, run).state,
        "exit_code": account.board.exit_code,
    }
    yield f'{{"otherData":{as_json(about)},"displayTimeUnit":"ms","traceEvents":['
    begin = "\n"
    for record in _events(account, by):
        yield begin + as_json(record)
        begin = ",\n"
    yield "\n]}\n"


def _events(account: Account, by: By) -> Iterator[Record]:
    yield from _named("process", RUN, 0, f"run {account.board.run}", order=0)
    yield from _named("thread", RUN, STAGES, "stages", order=0)
    yield from _named("thread", RUN, DEEDS, "what was done, and what befell it", order=1)
    yield from _stages(account)
    yield from _deeds(account)
    yield from _in_flight(account)
    flows = iter(range(1, 1 << 62))
    if by == "agent":
        agents = sorted(account.board.agents.values(), key=lambda agent: agent.order)
        pids = {agent.name: RUN + number for number, agent in enumerate(agents, 1)}
        for agent in agents:
            yield from _process(account, pids[agent.name], f"agent {agent.name}", agent.instances, flows)
        yield from _loads(account, pids)
        return
    for number, stage in enumerate(account.board.stages, 1):
        yield from _process(account, RUN + number, f"stage {stage.name}", stage.below(), flows, with_agent=True)


def _named(kind: str, pid: int, tid: int, name: str, *, order: int) -> Iterator[Record]:
    """Name a process or a thread, and say where it stands."""
    yield {"ph": "M", "name": f"{kind}_name", "pid": pid, "tid": tid, "args": {"name": visible(name)}}
    yield {"ph": "M", "name": f"{kind}_sort_index", "pid": pid, "tid": tid, "args": {"sort_index": order}}


def _process(
    account: Account,
    pid: int,
    name: str,
    rows: Iterable[InstanceRow],
    flows: Iterator[int],
    *,
    with_agent: bool = False,
) -> Iterator[Record]:
    yield from _named("process", pid, 0, name, order=pid)
    stays = lanes_of(account, rows)
    for lane in range(max((stay.lane for stay in stays), default=-1) + 1):
        yield from _named("thread", pid, lane + 1, f"lane {lane + 1}", order=lane)
    before: dict[int, Stay] = {}  # of rows that are tried again
    for stay in stays:
        yield _slice(stay, pid, with_agent=with_agent)
        earlier = before.get(id(stay.row))
        if earlier is not None:
            about = {"cat": "again", "name": "again", "id": next(flows), "pid": pid}
            # Bound to slices by a time within them: of the one that ended its beginning, which is sure to be in it.
            yield {**about, "ph": "s", "tid": earlier.lane + 1, "ts": _micro(earlier.start_s)}
            yield {**about, "ph": "f", "bp": "e", "tid": stay.lane + 1, "ts": _micro(stay.start_s)}
        if stay.row.earlier:
            before[id(stay.row)] = stay


def _slice(stay: Stay, pid: int, *, with_agent: bool) -> Record:
    key, attempt = stay.row.key, stay.attempt
    item = f" [{key.item}]" if key.item is not None else ""
    where = f"{key.agent}: " if with_agent else ""
    args: dict[str, Any] = {
        "instance": visible(str(key)),
        "attempt": attempt.number,
        "state": stay.state.name.lower(),
        "why": attempt.why,
    }
    if attempt.failure is not None:
        args["error"] = visible(str(cause_of(attempt.failure)))
        args["kind"] = visible(attempt.failure.kind)
    if not attempt.ended_seq:
        args["unfinished"] = True
    record = {
        "ph": "X",
        "name": visible(f"{where}{key.job}{item}"),
        "cat": f"attempt,{stay.state.name.lower()}",
        "pid": pid,
        "tid": stay.lane + 1,
        **_span(stay.start_s, stay.end_s),
        "args": args,
    }
    if stay.state in _COLOURS:
        record["cname"] = _COLOURS[stay.state]
    return record


def _stages(account: Account) -> Iterator[Record]:
    end_s = 0.0
    for stage in sorted(
        (each for each in account.board.stages if each.started_s is not None), key=lambda s: s.started_s or 0
    ):
        begin_s = max(end_s, stage.started_s or 0.0)  # of one that ran again only the last time is known
        is_over = stage.final is not None and stage.ended_s is not None
        end_s = max(begin_s, stage.ended_s if is_over and stage.ended_s is not None else account.end_s)
        args = {"state": stage.state.name.lower(), "reason": visible(stage.note)}
        name = visible(stage.name)
        yield {
            "ph": "X",
            "name": name,
            "cat": "stage",
            "pid": RUN,
            "tid": STAGES,
            **_span(begin_s, end_s),
            "args": args,
        }


def _deeds(account: Account) -> Iterator[Record]:
    for deed in account.deeds.all:
        args = {"who": visible(deed.who), "level": deed.level}
        name = visible(f"{deed.who} {deed.text}")
        at = {"pid": RUN, "tid": DEEDS, "ts": _micro(deed.at_s)}
        yield {"ph": "i", "s": "p", "name": name, "cat": "deed", **at, "args": args}


def _in_flight(account: Account) -> Iterator[Record]:
    """Count what was under way, in the stretches of time that the timeline has."""
    bins = account.timeline.bins
    before = -1
    for number, count in enumerate(bins.most):
        if count != before and number * bins.width_s <= account.end_s:
            at = _micro(number * bins.width_s)
            yield {"ph": "C", "name": "attempts under way", "pid": RUN, "tid": 0, "ts": at, "args": {"attempts": count}}
        before = count


def _loads(account: Account, pids: dict[str, int]) -> Iterator[Record]:
    for load in account.loads:
        pid = pids.get(load.agent)
        if pid is None:
            continue
        for name, amount in (("load per CPU", load.cpu), ("memory in use", load.memory)):
            if amount >= 0:
                yield {
                    "ph": "C",
                    "name": name,
                    "pid": pid,
                    "tid": 0,
                    "ts": _micro(load.at_s),
                    "args": {"share": amount},
                }


def _span(start_s: float, end_s: float) -> Record:
    """Give a beginning and a length whose sum is the end, so that what follows at once does not overlap."""
    begin = _micro(start_s)
    return {"ts": begin, "dur": max(0, _micro(end_s) - begin)}


def _micro(at_s: float) -> int:
    return round(max(0.0, at_s) * 1_000_000)
