"""What a client of the adapter is told and can do, on a real engine with forty agents in memory."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from adapter_client import PATIENCE_S, InMemory, in_memory

from octogram_tui.dap.breakpoints import Breakpoints, Wanted
from octogram_tui.dap.debuggee import Debuggee
from octogram_tui.engine import events as ev
from octogram_tui.engine import stimuli as st
from tools.debugged_run import SCENARIO

PROGRAM = str(SCENARIO)
LINES = {line.strip(): number for number, line in enumerate(SCENARIO.read_text().splitlines(), 1)}
TAKE, PROBE, JUDGE = (LINES[f"- name: {name}"] for name in ("take a seat", "probe", "judge"))


def well(folder: Path) -> Path:
    """Give a scenario of which everything ends well."""
    path = folder / "well.yml"
    path.write_text(SCENARIO.read_text().replace("seat.text", "seat.txt").replace("level: 3", "level: 1"))
    return path


async def test_lines_conditions_hits_and_texts(tmp_path: Path) -> None:
    program = well(tmp_path)
    async with in_memory(InMemory(program)) as client:
        set_ = await client.begin(
            program=str(program),
            lines={
                5: {},
                JUDGE + 3: {"condition": "agent.name == 'n_7'"},
                PROBE + 1: {"hitCondition": "== 3"},
                TAKE: {"logMessage": "{agent.name} sits"},
                TAKE + 2: {"condition": "1 +"},
                LINES["- name: measure"]: {"hitCondition": "often"},
                LINES["- name: sum up"] + 1: {},
            },
        )
        assert [(each["verified"], each["line"]) for each in set_] == [
            (False, 5), (True, JUDGE), (True, PROBE), (True, TAKE), (False, TAKE),
            (False, LINES["- name: measure"]), (True, LINES["- name: sum up"]),
        ]  # fmt: skip
        assert "nothing runs here" in set_[0]["message"]
        assert "condition" in set_[4]["message"]
        assert "not a number of hits" in set_[5]["message"]
        await client.do("setExceptionBreakpoints", filters=[], filterOptions=[])
        await client.do("configurationDone")
        stop = await client.event("stopped")
        assert (stop["reason"], stop["allThreadsStopped"]) == ("breakpoint", True)
        assert stop["hitBreakpointIds"] == [set_[2]["id"]]
        assert (
            sum(event["body"]["output"].endswith(" sits\n") for event in client.told if event["event"] == "output")
            == 40
        )
        assert (await client.output("n_40 sits"))["line"] == TAKE

        # What failed holds nothing now, since no filter is on: the first ends the run, as it does without a console.
        await client.do("setBreakpoints", source={"path": str(program)}, breakpoints=[])
        await client.do("setExpression", expression="vars.limit", value="1")
        await client.do("continue", threadId=stop["threadId"])
        assert (await client.event("exited"))["exitCode"] == 1
        await client.event("terminated")
        bars: dict[str, list[int]] = {}
        for event in client.told:
            if event["event"].startswith("progress"):
                bar = bars.setdefault(event["body"]["progressId"], [])
                bar.append(101 if event["event"] == "progressEnd" else event["body"]["percentage"])
        assert len(bars) >= 3
        assert all(bar[0] == 0 and bar[-1] == 101 and bar == sorted(set(bar)) for bar in bars.values()), bars


async def test_many_breakpoints_are_each_looked_at_a_few_times(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: Counter[str] = Counter()
    read, written = Debuggee.file_text, Breakpoints.written

    def counted_read(self: Debuggee) -> str | None:
        looks["file"] += 1
        return read(self)

    def counted_written(self: Breakpoints, wanted: Wanted) -> dict[str, Any]:
        looks["one"] += 1
        return written(self, wanted)

    monkeypatch.setattr(Debuggee, "file_text", counted_read)
    monkeypatch.setattr(Breakpoints, "written", counted_written)
    async with in_memory(InMemory()) as client:
        await client.begin(program=PROGRAM, stopOnEntry=True)
        wanted = [{"line": JUDGE, "condition": f"vars.level != {number}"} for number in range(120)]
        asked = {"source": {"path": PROGRAM}, "breakpoints": wanted}
        assert all(each["verified"] for each in (await client.do("setBreakpoints", **asked))["breakpoints"])
        assert looks["file"] <= 1
        assert looks["one"] <= 2 * len(wanted)
        too_many = {**asked, "breakpoints": [{"line": 5}] * 1200}
        assert len((await client.do("setBreakpoints", **too_many))["breakpoints"]) == 1200


async def test_filters_and_their_conditions_and_what_is_said_of_a_failure() -> None:
    async with in_memory(InMemory()) as client:
        await client.begin(program=PROGRAM)
        asked = {
            "filters": ["timed_out", "nonsense"],
            "filterOptions": [{"filterId": "failed", "condition": "re[1] == '9'"}],
        }
        set_ = (await client.do("setExceptionBreakpoints", **asked))["breakpoints"]
        assert [each["verified"] for each in set_] == [True, False, True]
        await client.do("setExceptionBreakpoints", filters=["failed", "retried", "skipped", "unreachable"])
        await client.do("configurationDone")
        stop = await client.event("stopped")
        assert stop["reason"] == "exception"
        told = await client.do("exceptionInfo", threadId=stop["threadId"])
        assert told["exceptionId"] == "exit_status"
        assert "seat.text" in told["details"]["stackTrace"]
        assert told["details"]["fullTypeName"] == "measure/probe@n_1"
        [frame, stage] = await client.stack(stop["threadId"])
        assert (frame["line"], frame["canRestart"]) == (PROBE, True)
        assert frame["name"] == "probe (failed)"
        assert stage["name"] == "stage measure (failed)"


async def test_arguments_and_variables_are_set_in_depth_and_a_frame_is_done_again() -> None:
    opener = InMemory()
    async with in_memory(opener) as client:
        await client.begin(program=PROGRAM)
        await client.do("configurationDone")
        stop = await client.event("stopped")
        thread = stop["threadId"]
        [frame, _] = await client.stack(thread)
        set_ = await client.do("setExpression", expression="vars.level", value="1 + 1", frameId=frame["id"])
        assert set_["value"] == "2"
        scopes = await client.scopes(frame["id"])
        assert [*scopes] == ["arguments", "arguments of attempt 1", "re", "res", "agent", "vars"]
        arguments = await client.values(scopes["arguments"])
        environment = arguments["env"]["variablesReference"]
        assert (await client.values(environment))["FILE"]["value"] == '"seat.text"'
        changed = await client.do("setVariable", variablesReference=environment, name="FILE", value="seat.txt")
        assert changed["value"] == '"seat.txt"'
        assert (await client.values(environment))["FILE"]["value"] == '"seat.txt"'  # it stands still: its number holds
        old = (await client.scopes(frame["id"]))["arguments of attempt 1"]
        assert "cannot be set" in await client.refused("setVariable", variablesReference=old, name="script", value="x")
        await client.do("setExpression", expression="vars.list", value='[1, {"a b": [2]}]')
        await client.do("setExpression", expression="vars.list[1]['a b'][0]", value='"x"')
        assert (await client.do("evaluate", expression="vars.list", context="watch"))["result"] == "[1, {…}]"
        wrong = {"variablesReference": scopes["vars"], "name": "level"}
        assert (await client.do("setVariable", **wrong, value="1e999"))["value"] == '"1e999"'
        assert "too deep" in await client.refused("setVariable", **wrong, value="[" * 5000 + "]" * 5000)
        assert "surrogates" in await client.refused("setVariable", **wrong, value="\ud800")
        await client.do("setExpression", expression="vars.level", value="2")
        assert "is not there any more" in await client.refused("setExpression", expression="vars.list[7]", value="1")
        assert "only a variable" in await client.refused("setExpression", expression="agent.name", value="1")
        await client.do("restartFrame", frameId=frame["id"])
        again = await client.event("stopped")
        assert (again["reason"], again["threadId"]) == ("restart", thread)
        assert opener.source is not None
        started = [event for event in opener.source.run.events if event.TYPE == "job_started"][-1]
        assert started.arguments["env"] == {"FILE": "seat.txt", "LEVEL": "2"}  # type: ignore[attr-defined]
        assert "shown before the run went on" in await client.refused("variables", variablesReference=environment)


async def test_steps_are_for_the_agent_whose_thread_it_is_or_for_all(tmp_path: Path) -> None:
    program = well(tmp_path)
    for steps, others in (("agent", PROBE), ("all", JUDGE)):
        async with in_memory(InMemory(program)) as client:
            await client.begin(program=str(program), lines={PROBE: {}}, steps=steps)
            await client.do("setExceptionBreakpoints", filters=[])
            await client.do("configurationDone")
            thread = (await client.event("stopped"))["threadId"]
            await client.do("setBreakpoints", source={"path": str(program)}, breakpoints=[])
            await client.do("next", threadId=thread)
            stop = await client.event("stopped")
            assert (stop["reason"], stop["allThreadsStopped"]) == ("step", True)
            assert (await client.stack(thread))[0]["line"] == JUDGE
            assert {(await client.stack(number))[0]["line"] for number in range(2, 41)} == {others}
            assert "single" not in await client.refused("stepIn", threadId=41)


async def test_a_variable_that_changes_a_row_by_its_name_and_a_stage_gone_back_to() -> None:
    async with in_memory(InMemory()) as client:
        await client.begin(program=PROGRAM, stopOnEntry=True)
        set_ = await client.do(
            "setFunctionBreakpoints",
            breakpoints=[{"name": "prepare/take a seat@n_2"}, {"name": "a@b#1"}, {"name": "nowhere"}],
        )
        assert [each["verified"] for each in set_["breakpoints"]] == [True, False, True]
        assert "no row of the scenario" in set_["breakpoints"][2]["message"]
        await client.do("configurationDone")
        stop = await client.event("stopped")
        assert stop["reason"] == "entry"
        await client.do("continue", threadId=stop["threadId"])
        stop = await client.event("stopped")
        assert (stop["reason"], stop["threadId"]) == ("function breakpoint", 2)
        vars_ = (await client.scopes((await client.stack(2))[0]["id"]))["vars"]
        info = await client.do("dataBreakpointInfo", variablesReference=vars_, name="judged_1")
        assert info["dataId"] is None or info["accessTypes"] == ["write"]
        await client.do("setDataBreakpoints", breakpoints=[{"dataId": "judged_3", "accessType": "write"}])
        await client.do("setFunctionBreakpoints", breakpoints=[])
        await client.do("setExpression", expression="vars.level", value="1")
        target = await client.do("gotoTargets", source={"path": PROGRAM}, line=JUDGE)
        assert target["targets"] == []  # the run was never there
        await client.do("continue", threadId=2)
        stop = await client.event("stopped")
        assert stop["reason"] == "exception"
        [target] = (await client.do("gotoTargets", source={"path": PROGRAM}, line=TAKE))["targets"]
        assert target["label"] == "back to the beginning of stage prepare"
        await client.do("goto", threadId=1, targetId=target["id"])
        stop = await client.event("stopped")
        assert stop["reason"] == "goto"
        assert (await client.stack(1))[0]["line"] == TAKE


async def test_one_agent_alone_is_held_and_goes_on(tmp_path: Path) -> None:
    program = well(tmp_path)
    async with in_memory(InMemory(program)) as client:
        await client.begin(
            program=str(program), holdMode="alone", lines={PROBE: {"condition": "agent.name in ['n_3', 'n_5']"}}
        )
        await client.do("setExceptionBreakpoints", filters=[])
        await client.do("configurationDone")
        stops = [await client.event("stopped"), await client.event("stopped")]
        assert {stop["threadId"] for stop in stops} == {3, 5}
        assert {stop["allThreadsStopped"] for stop in stops} == {False}
        told = await client.do("continue", threadId=5, singleThread=True)
        assert told == {"allThreadsContinued": False}
        await client.do("continue", threadId=3)
        await client.event("stopped", allThreadsStopped=True)


async def test_the_debug_console_takes_the_verbs_and_completes_what_is_typed() -> None:
    async with in_memory(InMemory()) as client:
        await client.begin(program=PROGRAM)
        await client.do("configurationDone")
        thread = (await client.event("stopped"))["threadId"]
        [frame, _] = await client.stack(thread)

        async def typed(text: str) -> str:
            return str((await client.do("evaluate", expression=text, context="repl", frameId=frame["id"]))["result"])

        assert await typed("vars.level + 1") == "4"
        assert "measure" in await typed("where")
        assert "seat.text" in await typed("show .")
        assert await typed("set level = 7") == "set_variable: ok" or "level" in await typed("set level = 7")
        assert (await client.do("evaluate", expression="level", context="hover", frameId=frame["id"]))["result"] == "7"
        assert "step" in await typed("help step")
        assert "disconnect" in await client.refused("evaluate", expression="quit", context="repl")
        assert "refused" not in await typed("b judge@n_4 if vars.level > 1")
        assert "judge" in await typed("info breakpoints")
        assert "no variable `nothing`" in await client.refused("evaluate", expression="vars.nothing", context="watch")
        assert "is nothing" not in await client.refused("evaluate", expression="rerun nowhere", context="repl")

        async def completed(text: str) -> list[str]:
            told = await client.do("completions", text=text, column=len(text) + 1, frameId=frame["id"])
            return [target["text"] for target in told["targets"]]

        assert await completed("vars.le") == ["vars.level"]
        assert "rerun" in await completed("re")
        assert "measure/probe@n_17" in await completed("rerun measure/probe@n_1")
        assert await completed("") != []
        located = await client.do("breakpointLocations", source={"path": PROGRAM}, line=1, endLine=PROBE)
        assert [each["line"] for each in located["breakpoints"]][-1] == PROBE
        assert (await client.do("source", source={"path": PROGRAM}, sourceReference=0))[
            "content"
        ] == SCENARIO.read_text()
        assert (await client.do("loadedSources"))["sources"][0]["path"] == PROGRAM


async def test_who_joins_is_told_what_is_and_not_what_was_and_leaves_no_trace() -> None:
    opener = InMemory()
    async with in_memory(opener) as client:
        await client.do("initialize", adapterID="x")
        assert "there is no run 'x'; `octogram-tui runs`" in await client.refused("attach", run="x")
        await client.do("attach")
        await client.event("initialized")
        await client.do("setBreakpoints", source={"path": PROGRAM}, breakpoints=[{"line": JUDGE}])
        await client.do("configurationDone")
        stop = await client.event("stopped")
        assert (stop["reason"], stop["threadId"]) == ("breakpoint", 1)  # another's, which was there
        assert not [event for event in client.told if event["event"] == "output"]
        source = opener.source
        assert source is not None
        assert len([event for event in source.run.events if event.TYPE == "breakpoint_set"]) == 3
        assert "true or false" in await client.refused("disconnect", terminateDebuggee="no")
        await client.do("threads")  # so that nobody has left
        client.send("disconnect")  # and hang up, before that is done
    assert source.run.events[-1].TYPE == "breakpoint_removed"
    assert [type(asked) for asked in source.asked] == [st.BreakRequest, st.RemoveBreakRequest]


async def test_who_may_not_act_is_told_so_and_can_take_control() -> None:
    opener = InMemory()
    async with in_memory(opener) as client:
        await client.begin("attach", readOnly=True)
        set_ = await client.do("setBreakpoints", source={"path": PROGRAM}, breakpoints=[{"line": JUDGE}])
        assert (set_["breakpoints"][0]["verified"], set_["breakpoints"][0]["message"]) == (
            False, "another console holds control of this run",
        )  # fmt: skip
        await client.do("configurationDone")
        thread = (await client.event("stopped"))["threadId"]
        assert "another console" in await client.refused("continue", threadId=thread)
        await client.output("only watches")
        told = await client.do("evaluate", expression="take_control", context="repl")
        assert told["result"] == "take_control: this client may act"
        changed = await client.event("breakpoint")
        assert changed["breakpoint"]["verified"]

        # Another console takes it, and lets go of it: what could not be done meanwhile is done at once.
        source = opener.source
        assert source is not None
        source.has_control = False
        source.control_changed()
        set_ = await client.do("setFunctionBreakpoints", breakpoints=[{"name": "measure"}])
        await client.do("setBreakpoints", source={"path": PROGRAM}, breakpoints=[])
        assert not set_["breakpoints"][0]["verified"]
        source.has_control = True
        source.control_changed()
        assert (await client.event("breakpoint"))["breakpoint"]["verified"]
        assert source.run.events[-2].TYPE == "breakpoint_removed"
        await client.do("continue", threadId=thread)


@pytest.mark.parametrize("is_refused", [False, True])
async def test_a_run_is_begun_anew_with_its_breakpoints_and_a_stage_asks(tmp_path: Path, is_refused: bool) -> None:
    scenario = tmp_path / "s.yml"
    text = SCENARIO.read_text().replace("- name: prepare", "- name: prepare\n    ask_confirmation: true")
    scenario.write_text(text)
    judge = text.splitlines().index("      - name: judge") + 1
    opener = InMemory(scenario)
    async with in_memory(opener) as client:
        [set_] = await client.begin(program=str(scenario), lines={judge: {}})
        await client.do("configurationDone")
        stop = await client.event("stopped")
        assert "asks whether it is to run" in stop["text"]
        first = opener.source
        await client.do("restart")
        assert first is not None
        assert first.run.events[-1].TYPE == "run_finished"
        assert opener.source is not first
        stop = await client.event("stopped")
        assert "asks whether it is to run" in stop["text"]
        assert opener.source is not None
        assert [event for event in opener.source.run.events if event.TYPE == "breakpoint_set" and "judge" in str(event)]
        assert not [event for event in client.told if event["event"] in ("terminated", "exited")]
        if is_refused:  # then there is nothing to debug any more, which is told
            opener.refuses = "no"
            assert await client.refused("restart") == "no"
        else:
            await client.do("terminate")
        await client.event("terminated")
        assert len(opener.launched) == 2 + is_refused
        assert set_["verified"]


@pytest.mark.parametrize("is_debugged", [True, False])
async def test_without_debugging_nothing_stops(is_debugged: bool) -> None:
    opener = InMemory()
    async with in_memory(opener) as client:
        [set_] = await client.begin(program=PROGRAM, noDebug=not is_debugged, lines={TAKE: {}})
        assert set_["verified"] is is_debugged
        assert opener.launched[0].holds_failures is is_debugged
        await client.do("configurationDone")
        await client.event("stopped", reason="breakpoint" if is_debugged else "exception")


async def test_requests_are_answered_between_the_pieces_of_a_flood_of_which_nothing_is_lost() -> None:
    opener = InMemory()
    async with in_memory(opener) as client:
        await client.begin(program=PROGRAM, stopOnEntry=True)
        await client.do("configurationDone")
        await client.event("stopped")
        source = opener.source
        assert source is not None
        lines = [str(number) for number in range(50_000)]
        one, rest = lines[:20_000], lines[20_000:]  # in one event, and in many
        blocks = [rest[first : first + 100] for first in range(0, len(rest), 100)]
        before = len(client.told)
        source.state(ev.StopRequested(by="operator"))  # which is not its end
        source.state(
            ev.JobOutput(agent="n_1", lines=one, process="p", dropped=7),
            *(ev.JobOutput(agent="n_1", lines=block, process="p") for block in blocks),
            ev.WarningGiven(message="all is told"),
        )

        told_at = []
        while not any("all is told" in str(event["body"].get("output")) for event in client.told[before:]):
            await client.do("threads")
            told_at.append(len(client.told) - before)
        between = {count for count in told_at if 0 < count < told_at[-1]}
        assert len(between) >= 3, told_at  # of them counted, and not timed: a client has one answer in some pieces
        written = [event["body"]["output"] for event in client.told[before:] if event["event"] == "output"]
        assert max(text.count("\n") for text in written) <= 1001
        assert "".join(written).splitlines() == [
            "stop requested",
            "p on n_1: 7 lines are left out",
            *(f"p on n_1: {line}" for line in lines),
            "warning: all is told",
        ]
        assert not [each["event"] for each in client.told if each["event"] in ("exited", "terminated")]
        await client.do("terminate")
        await client.event("terminated")
        assert [each["event"] for each in client.told[-2:]] == ["exited", "terminated"]


async def test_a_client_that_reads_no_more_is_let_go_of_as_it_says() -> None:
    opener = InMemory()
    async with in_memory(opener) as client:
        await client.begin(program=PROGRAM, stopOnEntry=True)
        await client.do("configurationDone")
        await client.event("stopped")
        source = opener.source
        assert source is not None
        client.read_no_more()
        source.state(*(ev.JobOutput(agent="n_1", lines=["x" * 1000] * 100, process="p") for _ in range(50)))
        for _ in range(50):
            client.send("threads")
            await asyncio.sleep(0)
        client.send("disconnect", {"terminateDebuggee": False})
        await asyncio.wait_for(source.closed.wait(), PATIENCE_S)
        assert source.run.events[-1].TYPE != "run_finished"


@pytest.mark.parametrize(
    ("asked", "stops"),
    [
        ({}, True),
        ({"condition": "vars.level > 1"}, True),
        ({"condition": "vars.level > 99"}, False),
        ({"condition": "vars.nothing"}, True),  # as in a run, where nobody knows
        ({"hitCondition": "2"}, False),
        ({"logMessage": "here"}, False),
    ],
)
async def test_a_breakpoint_on_the_first_stage_holds_it_though_it_has_begun(asked: dict[str, Any], stops: bool) -> None:
    async with in_memory(InMemory()) as client:
        [set_, later] = await client.begin(program=PROGRAM, lines={LINES["- name: prepare"]: asked, PROBE: {}})
        await client.do("setExceptionBreakpoints", filters=[])
        assert set_["verified"]
        await client.do("configurationDone")
        stop = await client.event("stopped")
        if stops:
            assert (stop["reason"], stop["hitBreakpointIds"]) == ("breakpoint", [set_["id"]])
            assert "at prepare" in stop["text"]
            assert (await client.stack(1))[0]["line"] == TAKE
            await client.do("continue", threadId=1)
            stop = await client.event("stopped")
        assert stop["hitBreakpointIds"] == [later["id"]]
        await client.do("terminate")
