"""What agents offer, how URIs find it, Prometheus as one of the agents, and agents that come and go."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import pytest
from simulation import Simulation, job, named, report, scenario, stage

from octogram_agentd.network.tickets import ticket_for, with_ticket, without_ticket
from octogram_tui.engine.effects import SendJob, StartAgent, StopAgent
from octogram_tui.engine.events import (
    AgentFailed,
    AgentLoad,
    AgentLost,
    AgentReady,
    AgentStopped,
    AgentSuspect,
    AgentWaiting,
    JobFinished,
    JobOutput,
    JobProgress,
    RunPaused,
    ServiceAnnounced,
    StageFinished,
    WarningGiven,
)
from octogram_tui.engine.instances import Instance
from octogram_tui.engine.invariants import check
from octogram_tui.engine.machine import Engine
from octogram_tui.engine.options import RunOptions
from octogram_tui.engine.prometheus import TargetGroup, target_groups
from octogram_tui.engine.services import ServiceTable
from octogram_tui.engine.stimuli import (
    AgentBackReport,
    AgentEndReport,
    AgentLoadReport,
    AgentLossReport,
    AgentSilentReport,
    AgentUpReport,
    AgentWaitReport,
    AttemptReport,
    BeginRequest,
    GoRequest,
    OutputReport,
    PauseRequest,
    ProgressReport,
    RerunRequest,
    ServiceReport,
    SetVariableRequest,
    SkipRequest,
    StartFailureReport,
    StepRequest,
    StopRequest,
)
from octogram_tui.errors import EngineBug, TemplateError
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import AgentName, AttemptId, ErrandId
from octogram_tui.model.scenario import AgentSpec
from octogram_tui.model.selection import Selection
from octogram_tui.projection.board import Board
from octogram_tui.projection.row_states import AgentState

ADDRESSES = {"a": "10.0.0.1", "b": "fe80::2"}


def never(_: SendJob) -> AttemptReport | None:
    """Agents that take jobs and do not answer by themselves."""
    return None


def table(**services: dict[str, int]) -> ServiceTable:
    """Services of agent b, written kind__name."""
    found = ServiceTable()
    found.addresses.update(ADDRESSES)
    for name, ports in services.items():
        kind, _, own = name.partition("__")
        found.record(ServiceAnnounced(agent="b", kind=kind, name=own, ports=ports))
    return found


@pytest.mark.parametrize(
    ("kind", "uri", "expected"),
    [
        ("file", "http://x/y", {"remote": "http://x/y"}),
        ("file", "plain", {"remote": "plain"}),
        ("file", "self://d/f", {"owned": "d/f"}),
        ("file", "a://f", {"owned": "f"}),
        ("file", "b://d/f", {"remote": "http://[fe80::2]:80/d/f", "path": "d/f"}),
        ("file", "b:///d/a b?c#d%41", {"remote": "http://[fe80::2]:80/d/a%20b%3Fc%23d%2541", "path": "/d/a b?c#d%41"}),
        ("file", "http://x/a b?c#d%41", {"remote": "http://x/a b?c#d%41"}),
        ("node", "b://n", {"remote": "http://[fe80::2]:8732"}),
        ("node_peer", "b://n", {"remote": "[fe80::2]:1"}),
        ("dal_peer", "b://d", {"remote": "[fe80::2]:2"}),
        ("node_peer", "a://n", {"owned": "n"}),
        ("node_peer", "other.example:9732", {"remote": "other.example:9732"}),
        ("http", "b://web/path", {"remote": "http://[fe80::2]:8000/path"}),
        ("http", "b://web?a=/b", {"remote": "http://[fe80::2]:8000?a=/b"}),
        ("http", "b://web/a b?c=%41", {"remote": "http://[fe80::2]:8000/a b?c=%41"}),
        ("http", "b://one", {"remote": "http://[fe80::2]:5"}),
        ("http", "b://n/x", {"remote": "http://[fe80::2]:8732/x"}),
    ],
)
def test_uris_resolve_as_the_language_says(kind: str, uri: str, expected: dict[str, str]) -> None:
    services = table(
        http__http={"http": 80},
        node__n={"rpc": 8732, "net": 1},
        dal_node__d={"rpc": 10732, "net": 2},
        process__web={"http": 8000, "x": 1},
        process__one={"db": 5},
    )
    assert services.resolve(kind, uri, "a") == expected


KEY = "a" * 64


@pytest.mark.fault(89)
@pytest.mark.parametrize(
    "uri",
    [
        "b://d/f",
        "http://10.0.0.2:15000/d/f",  # as written by hand
        "10.0.0.2:15000/d/f",
    ],
)
def test_the_url_of_a_file_has_a_ticket_where_its_job_gets_it_and_nowhere_else(uri: str) -> None:
    simulation = asking(
        uri, {"a": "10.0.0.1", "b": "10.0.0.2"}, ServiceReport("b", "http", "http", {"http": 15000}, key=KEY)
    )
    (sent,) = simulation.sent
    file = sent.arguments["file"]
    assert isinstance(file, dict)
    written = str(file["remote"])
    assert written == with_ticket(without_ticket(written), KEY)
    assert without_ticket(written).startswith("http://10.0.0.2:15000/d/f")
    ticket = ticket_for(KEY, b"d/f")
    assert ticket in written
    assert ticket not in repr(simulation.events)
    assert KEY not in repr(simulation.events)


@pytest.mark.fault(89)
@pytest.mark.parametrize(
    "uri", ["http://10.0.0.3:15000/f", "http://10.0.0.2:15001/f", "https://10.0.0.2:15000/f", "http://[x/f"]
)
def test_other_servers_are_shown_no_ticket(uri: str) -> None:
    simulation = asking(
        uri, {"a": "10.0.0.1", "b": "10.0.0.2"}, ServiceReport("b", "http", "http", {"http": 15000}, key=KEY)
    )
    assert simulation.sent[0].arguments == {"file": {"remote": uri}}


@pytest.mark.parametrize(
    ("kind", "uri", "said"),
    [
        ("file", "b://f", "agent b serves no files"),
        ("file", "c://f", "there is no agent 'c'"),
        ("dal_node", "b://d", "nobody started the DAL node 'd' on b"),
        ("http", "b://d/x", "nobody started 'd' on b"),
        ("http", "b://two", "has no port named http, and not just one port"),
    ],
)
def test_uris_of_nothing_say_what_is_missing(kind: str, uri: str, said: str) -> None:
    with pytest.raises(TemplateError, match=said):
        table(process__two={"x": 1, "y": 2}).resolve(kind, uri, "a")


SERVER = ServiceReport("b", "http", "http", {"http": 80})


def asking(uri: str, addresses: dict[str, str], server: ServiceReport = SERVER) -> Simulation:
    """Two agents that turned out to be at addresses; `a` asks for a file of `b`."""
    simulation = Simulation(scenario(stage("s", job("ask", {"file": uri}), on="^a$"), agents="a b"))
    simulation.feed(BeginRequest("2026-01-01T00:00:00Z"))
    simulation.waiting.clear()
    simulation.feed(server)
    for name, address in addresses.items():
        simulation.go(AgentUpReport(name, address=address))
    return simulation


def test_others_are_told_the_address_that_an_agent_turned_out_to_have() -> None:
    simulation = asking("b://f", {"a": "10.0.0.1", "b": "fd00::2"})
    assert simulation.sent[0].arguments == {"file": {"remote": "http://[fd00::2]:80/f", "path": "f"}}
    assert [event.address for event in simulation.of(AgentReady)] == ["10.0.0.1", "fd00::2"]
    assert simulation.of(WarningGiven) == []
    held = asking("b://f", {"b": "fd00::2"})
    held.feed(ServiceReport("b", "node", "n", {"rpc": 8732}))
    assert held.of(ServiceAnnounced)[-1].address == "fd00::2"


@pytest.mark.parametrize(
    ("a", "b", "is_told"),
    [
        ("10.0.0.1", "127.0.0.1", True),
        ("10.0.0.1", "fe80::2%eth0", True),
        ("10.0.0.1", "0.0.0.0", True),
        ("127.0.0.1", "127.0.0.2", False),
        ("127.0.0.1", "10.0.0.2", False),
    ],
)
def test_an_address_that_means_nothing_elsewhere_is_told_once(a: str, b: str, is_told: bool) -> None:
    simulation = asking("b://f", {"a": a, "b": b})
    said = [event.message for event in simulation.of(WarningGiven)]
    assert len(said) == is_told
    assert not is_told or f"a is told to reach b at {b}" in said[0]
    simulation.go(RerunRequest("s"))
    assert len(simulation.of(WarningGiven)) == is_told


def test_templates_see_the_address_that_others_are_told() -> None:
    steps = stage("s", job("j", when="agent.address == '10.0.0.7'"))
    simulation = Simulation(scenario(steps))
    simulation.feed(BeginRequest("2026-01-01T00:00:00Z"))
    simulation.waiting.clear()
    simulation.go(AgentUpReport("a", address="10.0.0.7"))
    assert simulation.started() == ["s/j@a#1"]


def test_what_prometheus_scrapes_is_up_and_in_a_stable_order() -> None:
    services = table(node__n={"metrics": 9}, process__p={"http": 1})
    services.record(ServiceAnnounced(agent="a", kind="dal_node", name="d", ports={"metrics": 8}))
    services.record(ServiceAnnounced(agent="a", kind="node", name="down", ports={"metrics": 7}, state="down"))
    assert target_groups(services.all(), {"a": "h", "b": "i"}) == [
        {"targets": ["h:8"], "labels": {"agent": "a", "node": "d", "kind": "dal_node"}},
        {"targets": ["i:9"], "labels": {"agent": "b", "node": "n", "kind": "node"}},
    ]


def watched(**options: object) -> tuple[Simulation, list[SendJob]]:
    """A run with a Prometheus agent, whose own attempts are answered by the test."""
    given = replace(
        scenario(stage("s", job("j")), agents="a"), prometheus_agent=AgentSpec(AgentName("watch"), transport="local")
    )
    own: list[SendJob] = []

    def answer(sent: SendJob) -> AttemptReport | None:
        if isinstance(sent.attempt, ErrandId):
            own.append(sent)
        return None

    return Simulation(given, answer, **options).begin(), own


def test_prometheus_comes_first_follows_the_services_and_is_no_agent_of_stages() -> None:
    simulation, own = watched()
    assert [s.procedure for s in own] == ["internals.start_prometheus"]
    assert [e.agent for e in simulation.of(AgentReady)] == ["watch"]
    simulation.go(report(own[0].attempt, "ok", {"port": 9090}))
    assert [e.agent for e in simulation.of(AgentReady)] == ["watch", "a"]
    assert simulation.started() == ["s/j@a#1"]
    simulation.go(ServiceReport("a", "node", "n", {"metrics": 9}))
    simulation.go(ServiceReport("a", "process", "p", {"http": 9}))
    assert [s.procedure for s in own[1:]] == ["internals.prometheus_targets"]
    [group] = cast("list[TargetGroup]", own[1].arguments["targets"])
    assert group["targets"] == ["127.0.0.1:9"]
    simulation.go(report(own[1].attempt, "failed", error={"kind": "x", "message": "no disk"}))
    assert "no disk" in simulation.of(WarningGiven)[0].message
    simulation.go(ServiceReport("a", "node", "n", {"metrics": 9}, "down", "exit"))
    assert own[2].arguments["targets"] == []
    simulation.go(ServiceReport("a", "node", "n", {"metrics": 9}))
    simulation.go(AgentLossReport("a", "gone"))
    assert [len(cast("list[TargetGroup]", s.arguments["targets"])) for s in own[3:]] == [1, 0]


def test_agents_with_nodes_stop_after_those_that_follow_them_and_prometheus_last() -> None:
    given = replace(
        scenario(stage("s", job("j")), agents="layer1 baker"),
        prometheus_agent=AgentSpec(AgentName("watch"), transport="local"),
    )
    stopped: list[str] = []

    def answer(sent: SendJob) -> AttemptReport | None:
        return report(sent.attempt, "ok") if isinstance(sent.attempt, ErrandId) else None

    simulation = Simulation(given, answer)
    take = simulation._take

    def note(effect: object) -> None:
        if isinstance(effect, StopAgent):
            stopped.append(effect.agent)
        take(effect)  # type: ignore[arg-type]

    simulation._take = note  # type: ignore[method-assign]
    simulation.begin()
    simulation.go(ServiceReport("layer1", "node", "n", {"rpc": 1}))
    simulation.go(report("s/j@layer1#1", "ok"))
    simulation.go(report("s/j@baker#1", "ok"))
    assert stopped == ["baker", "layer1", "watch"]
    assert simulation.exit_code == 0


def test_a_prometheus_that_does_not_start_ends_the_run_before_other_agents_start() -> None:
    simulation, own = watched()
    simulation.go(report(own[0].attempt, "failed", error={"kind": "missing", "message": "no binary"}))
    assert [(e.agent, e.message) for e in simulation.of(AgentFailed)] == [("watch", "Prometheus: no binary")]
    assert [e.agent for e in simulation.of(AgentStopped)] == ["watch"]
    assert simulation.exit_code == 6


def test_a_prometheus_agent_that_cannot_be_reached_ends_the_run() -> None:
    given = replace(scenario(stage("s", job("j"))), prometheus_agent=AgentSpec(AgentName("watch"), transport="local"))
    simulation = Simulation(given)
    take = simulation._take

    def refuse(effect: object) -> None:
        if isinstance(effect, StartAgent):
            simulation.waiting.append(StartFailureReport(effect.agent.name, "net.dns", "no address", exit_code=4))
        else:
            take(effect)  # type: ignore[arg-type]

    simulation._take = refuse  # type: ignore[method-assign]
    simulation.go(BeginRequest(""))
    assert simulation.exit_code == 4


def test_an_agent_that_waits_for_its_turn_says_so() -> None:
    simulation = Simulation(scenario(stage("s", job("j"))), never)
    simulation._take = lambda effect: None  # type: ignore[method-assign]
    simulation.go(BeginRequest(""))
    simulation.go(AgentWaitReport("a", "waits for its turn"))
    board = Board()
    for event in simulation.events:
        board.apply(event)
    assert (board.agents["a"].state, board.agents["a"].message) == (AgentState.STARTING, "waits for its turn")
    simulation.go(AgentWaitReport("a", ""))
    board.apply(simulation.events[-1])
    assert (board.agents["a"].state, board.agents["a"].message) == (AgentState.STARTING, "")
    simulation.go(AgentUpReport("a", "/h", "h", "3.8", 1))
    simulation.go(AgentWaitReport("a", "too late"))
    assert [e.message for e in simulation.of(AgentWaiting)] == ["waits for its turn"]


def test_the_load_of_an_agent_that_is_up_is_told() -> None:
    simulation = Simulation(scenario(stage("s", job("j"))), never)
    simulation._take = lambda effect: None  # type: ignore[method-assign]
    simulation.go(BeginRequest(""))
    simulation.go(AgentLoadReport("a", 0.5))
    simulation.go(AgentUpReport("a", "/h", "h", "3.8", 1))
    simulation.go(AgentLoadReport("a", 1.5, 0.25, 2))
    simulation.go(AgentLoadReport("nobody", 1.5))
    assert [(e.agent, e.cpu, e.memory, e.processes) for e in simulation.of(AgentLoad)] == [("a", 1.5, 0.25, 2)]


def test_an_agent_may_fall_silent_and_come_back() -> None:
    simulation = Simulation(scenario(stage("s", job("j"), job("k"))), never).begin()
    simulation.go(AgentSilentReport("a", "nothing heard"))
    simulation.go(AgentSilentReport("a", "again"))
    assert [e.message for e in simulation.of(AgentSuspect)] == ["nothing heard"]
    simulation.go(report("s/j@a#1", "ok"))
    assert simulation.started()[-1] == "s/k@a#1"
    simulation.go(AgentBackReport("a"))
    simulation.go(AgentBackReport("a"))
    assert len(simulation.of(AgentReady)) == 2


@pytest.mark.fault(74)
def test_what_is_asked_while_an_agent_is_silent_is_done_once() -> None:
    """A pause, a step, a skip and a rerun count as ever: the link keeps what is for the agent until it is back."""
    given = scenario(stage("s", job("j"), job("k"), job("l")))
    simulation = Simulation(given, never, on_failure="pause").begin()
    simulation.go(AgentSilentReport("a", "nothing heard"))
    simulation.go(PauseRequest())
    simulation.go(report("s/j@a#1", "failed"))
    simulation.go(SkipRequest(named("s/j@a")))
    simulation.go(StepRequest())
    simulation.go(report("s/k@a#1", "failed"))
    simulation.go(RerunRequest("s", instance=named("s/k@a")))
    simulation.go(AgentBackReport("a"))
    simulation.go(report("s/k@a#2", "ok"))
    simulation.go(GoRequest())
    assert [str(sent.attempt) for sent in simulation.sent] == ["s/j@a#1", "s/k@a#1", "s/k@a#2", "s/l@a#1"]


def test_a_lost_agent_pauses_a_console_and_fails_what_comes_to_it_later() -> None:
    given = scenario(stage("s", job("j")), stage("t", job("k")), agents="a b")
    simulation = Simulation(given, never, on_failure="pause", keep_alive=True).begin()
    simulation.go(ServiceReport("a", "node", "n", {"rpc": 1}))
    simulation.go(report("s/j@a#1", "ok"))
    simulation.go(AgentLossReport("a", "reset"))
    simulation.go(AgentLossReport("a", "reset"))
    simulation.go(AgentLossReport("nobody", "reset"))
    assert len(simulation.of(AgentLost)) == 1
    assert simulation.of(RunPaused)[-1].message == "agent a was lost: reset"
    simulation.go(report("s/j@b#1", "ok"))
    simulation.go(GoRequest())
    assert simulation.of(JobFinished)[-1].failure == Failure("agent_lost", "agent a is lost")


def test_an_agent_lost_while_it_starts_or_stops_ends_like_any_other() -> None:
    simulation = Simulation(scenario(stage("s", job("j"))))
    simulation._take = lambda effect: None  # type: ignore[method-assign]
    simulation.feed(BeginRequest(""))
    simulation.feed(AgentLossReport("a", "gone"))
    assert simulation.engine.phase == "stopping"
    simulation.feed(AgentLossReport("a", "gone"))
    assert [e.is_clean for e in simulation.of(AgentStopped)] == [False]


@pytest.mark.fault(47, 48)
def test_an_agent_that_is_not_clean_decides_the_exit_code() -> None:
    simulation = Simulation(scenario(stage("s", job("j"))))
    take = simulation._take

    def dirty(effect: object) -> None:
        if isinstance(effect, StopAgent):
            simulation.waiting.append(AgentEndReport(effect.agent, is_clean=False, remaining=({"pid": 1},)))
        else:
            take(effect)  # type: ignore[arg-type]

    simulation._take = dirty  # type: ignore[method-assign]
    simulation.begin()
    assert simulation.exit_code == 10


def test_an_agent_added_late_that_does_not_start_is_a_warning() -> None:
    simulation = Simulation(scenario(stage("s", job("j"))), never).begin()
    simulation.engine.fleet.add(AgentSpec(AgentName("late"), transport="local"))
    simulation.go(StartFailureReport("late", "net.dns", "no address"))
    assert "late did not start" in simulation.of(WarningGiven)[-1].message


def test_output_and_progress_carry_their_place_while_it_is_known() -> None:
    simulation = Simulation(scenario(stage("s", job("j"), job("k"))), never).begin()
    first = AttemptId.parse("s/j@a#1")
    simulation.go(OutputReport("a", first, ["x"]))
    simulation.go(ProgressReport("a", first, "half"))
    simulation.go(report("s/j@a#1", "ok"))
    simulation.go(OutputReport("a", first, ["late"]))
    simulation.go(OutputReport("a", None, ["server"], process="web"))
    simulation.go(ProgressReport("a", first, "late"))
    assert [(e.instance, e.process, e.lines) for e in simulation.of(JobOutput)] == [
        (named("s/j@a"), "", ["x"]),
        (named("s/j@a"), "", ["late"]),
        (None, "web", ["server"]),
    ]
    assert [e.text for e in simulation.of(JobProgress)] == ["half"]


def test_a_stage_that_cannot_be_begun_holds_a_console_until_it_can() -> None:
    given = scenario(stage("s", job("j"), on="{{ vars.who }}"), stage("t", job("k"), when="vars.flag"))
    simulation = Simulation(given, on_failure="pause", keep_alive=True).begin()
    assert "who" in simulation.of(RunPaused)[-1].message
    simulation.go(SetVariableRequest("who", "a"))
    simulation.go(GoRequest())
    assert simulation.started() == ["s/j@a#1"]
    simulation.go(SetVariableRequest("flag", value=False))
    simulation.go(GoRequest())
    assert [(e.stage, e.state) for e in simulation.of(StageFinished)] == [("s", "ok"), ("t", "skipped")]


def test_a_contradiction_is_our_bug_and_carries_what_led_to_it() -> None:
    simulation = Simulation(scenario(stage("s", job("j"))), never).begin()
    table = simulation.engine.instances
    instance = table.first("running")
    assert isinstance(instance, Instance)
    with pytest.raises(EngineBug, match="no move"):
        table.move(instance, "held")
    with pytest.raises(EngineBug, match="is there twice"):
        table.move(Instance(instance.id, instance.job_run, None), "held")
    instance.job_run.lane.stage_run.in_flight = 7
    with pytest.raises(EngineBug, match="counts 7 in flight of 1"):
        check(simulation.engine)
    stop = BeginRequest("2026-01-01T00:00:00Z")
    with pytest.raises(EngineBug, match="no move from phase running") as caught:
        simulation.engine.feed(stop, 1.0)
    assert caught.value.stimuli[-1] == stop


def test_invariants_name_every_contradiction() -> None:
    engine = (
        Simulation(
            scenario(stage("s", job("bad"), job("k"), max_concurrency=1), agents="a b"), never, on_failure="pause"
        )
        .begin()
        .engine
    )
    instance = engine.instances.first("running")
    assert instance is not None
    job_run = instance.job_run
    job_run.lane.active["again"] = job_run
    job_run.begun = 2
    job_run.drawn = instance
    job_run.lane.stage_run.limit = 0
    job_run.lane.stage_run.in_flight = 5
    instance.attempt = 7
    engine.phase = "finished"
    with pytest.raises(EngineBug) as caught:
        check(engine)
    for said in ("never counted", "would begin", "sequential", "counts 2 of 1", "in flight", "the run is over"):
        assert said in caught.value.message


def test_after_the_end_nothing_is_fed() -> None:
    simulation = Simulation(scenario()).begin()
    assert simulation.feed(StopRequest("operator", 130)) == []
    assert simulation.feed(AgentUpReport("a")) == []


def test_options_say_what_differs() -> None:
    assert RunOptions(run="r", selection=Selection(tags=frozenset({"b", "a"})), confirm="yes").public() == {
        "tags": ["a", "b"],
        "confirm": "yes",
    }
    with pytest.raises(EngineBug):
        Engine(scenario(), RunOptions(run="r")).move("finished")
