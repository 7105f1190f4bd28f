"""Texts that services, Markdown and terminals would take for something else, and runs that are full of them."""

from __future__ import annotations

from hypothesis import strategies as st
from recorded import numbered

from octogram_tui.engine import events as ev
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import InstanceId

PIECES = (
    *("::error::x", "::add-mask::a", "::group::", "::endgroup::", "::stop-commands::t", "##[error]", "##vso[a]b"),
    *("##teamcity[x y='z']", "##teamcity[x y='", "section_start:1:a\r\x1b[0K", "\x1b[0K", "section_end:1:a\r\x1b[0Kb"),
    *(
        "--- a",
        "+++ a",
        "~~~ a",
        "^^^ +++",
        "---",
        "^^^",
        "+++ ",
        "\n",
        "\r",
        "\r\n",
        "\x85",
        "\u2028",
        "\x1b[31m",
        "\x1b",
    ),
    *(
        "%0A",
        "%25",
        "%",
        ":",
        ",",
        "|",
        "||",
        "|n",
        "'",
        "[",
        "]",
        "]'",
        "#",
        "##",
        " ",
        "\t",
        "\x0b",
        "\xa0",
        "\u3000",
    ),
    *(
        "<b>",
        "</code>",
        "</pre>",
        "<!--",
        "-->",
        "`",
        "```",
        "**",
        "__",
        "\\",
        "](http://x)",
        "![a](b)",
        "&lt;",
        "&#35;",
    ),
    *(
        "@team",
        "#1",
        "https://x.y",
        "www.x.y",
        "| a | b |",
        "\ud800",
        "\x00",
        "é",
        "\U0001f419",
        "word",
        "EOF",
        "=",
        "~",
    ),
)
texts = st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join)


def run(one: str, two: str, three: str) -> list[ev.Event]:
    """Give a run with a text wherever a text can be: the same events whatever they are."""
    first, second = InstanceId(one, two, "a", three), InstanceId(one, two, "b", three)
    failure = Failure("exit", f"sh ended with exit status 3: {two}", hint=three, detail={"last_lines": [one, two]})
    return numbered(
        [
            ev.RunStarted(
                run="20261123-031409-x-x7",
                scenario="s.yml",
                started_wall="2026-11-23T03:14:09.000Z",
                plan=[{"stage": one, "jobs": [{"job": two, "line": 3, "items": True}], "line": 2}],
                agents=[{"agent": "a"}, {"agent": "b"}, {"agent": "c"}],
            ),
            *(ev.AgentReady(agent=name, home="/h", python="3.11") for name in "ab"),
            ev.AgentFailed(agent="c", code="net.refused", message=one, hint=two, exit_code=4),
            ev.WarningGiven(message=three),
            ev.StageStarted(stage=one, agents=["a", "b"]),
            ev.JobStarted(instance=first),
            ev.JobStarted(instance=second),
            ev.JobOutput(agent="a", instance=first, attempt=1, lines=[one, f"{two}{three}"], dropped=2),
            ev.JobOutput(agent="b", instance=second, attempt=1, lines=[three, f"\x1b[31m{one}", two], stream="stderr"),
            ev.JobOutput(agent="a", lines=[two], process=three),
            ev.VariableChanged(name=one, value=two),
            ev.EntryRegistered(name=one, entry=two, value=three),
            ev.ServiceAnnounced(agent="a", kind="http", name=one, state="down", reason=f"{two}\n{three}"),
            ev.BreakpointMet(number=2, message=two, count=1, is_log=True, row=one),
            ev.RunPaused(reason="operator", message=three),
            ev.JobFinished(instance=first, duration_s=1.0),
            ev.JobFinished(instance=second, state="failed", failure=failure, duration_s=2.0),
            ev.StageFinished(stage=one, state="failed", reason=two),
            ev.StageFinished(stage=f"{two} too", state="skipped", reason=three),
            ev.ScenarioRejected(problems=[{"file": one, "line": 1, "column": 2, "message": two}]),
            ev.AgentStopped(agent="b", is_clean=False, message=three, remaining=[{"name": one}]),
            ev.RunFinished(exit_code=10, reason=one, duration_s=9.0, counts={"ok": 1, "failed": 1}),
        ]
    )
