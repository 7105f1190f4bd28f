"""Command lines to begin with: the last lines of each command's `--help`, and of its page of `man`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Example(NamedTuple):
    """A command line behind the program's name, and what it does where that is not plain."""

    line: str
    what: str = ""


EXAMPLES: dict[str, Sequence[Example]] = {
    "": (
        Example("scenario.yml", "watch it in the console"),
        Example("scenario.yml --local", "the same with every agent on this machine"),
        Example("scenario.yml -e level=5 --from measure"),
        Example("scenario.yml --headless --junit report.xml --events events.jsonl"),
        Example("scenario.yml --headless --keep-going --retry 1 --stage-timeout 10m"),
        Example("scenario.yml --headless --rerun-failed last", "only what failed"),
    ),
    "check": (
        Example("check scenario.yml", "every error at once; needs no network"),
        Example("check scenario.yml --format github", "as annotations, in CI"),
        Example("check scenario.yml --format sarif > check.sarif", "as alerts of a code host"),
    ),
    "plan": (
        Example("plan scenario.yml -e level=5"),
        Example("plan scenario.yml --from measure --limit 'node_[12]' --json"),
        Example("plan scenario.yml --rerun-failed last", "what would run again"),
    ),
    "runs": (Example("runs"), Example("runs --json", "for programs")),
    "replay": (
        Example("replay", "chosen from a list"),
        Example("replay last --at 90s --speed 4"),
        Example("replay 20261125-0312 --headless -v"),
    ),
    "journal": (Example("journal check", "of every run"), Example("journal salvage last")),
    "export": (
        Example("export last", "a page beside you, named after the run"),
        Example("export last --json -o run.json", "for programs"),
        Example("export last --chrome-trace", "for ui.perfetto.dev or chrome://tracing"),
    ),
    "compare": (Example("compare 20261125-0312 last"), Example("compare nightly.jsonl last --json")),
    "attach": (Example("attach last"), Example("attach last --read-only")),
    "resume": (Example("resume last"), Example("resume last --as-it-was --headless")),
    "serve": (
        Example("serve", "the last run"),
        Example("serve scenario.yml -e level=5", "a run that begins now"),
        Example("serve last --read-only", "for others to watch"),
    ),
    "ask": (
        Example("ask last", "list the verbs"),
        Example("ask last pause"),
        Example("ask last rerun measure job='read it'"),
        Example("ask last rerun_all failed go=true"),
        Example("ask last set_variable slots value=5"),
        Example("ask last evaluate 'vars.level + 1' agent=n_1 --json"),
        Example("ask last log n_1 'measure/read it@n_1#1'"),
        Example("ask last rerun -- '-odd name'"),
        Example("ask last stop"),
    ),
    "shell": (
        Example("shell last"),
        Example("shell last 'measure/read it@n_1'"),
        Example("shell last n_1 -- tail -n 20 log.txt"),
    ),
    "schema": (
        Example("schema --write", "beside scenarios, for an editor"),
        Example("schema run-report"),
        Example("schema run-export"),
    ),
    "dap": (Example("dap", "what an editor starts"), Example("dap --port 4711", "for one that connects")),
    "doctor": (Example("doctor scenario.yml"), Example("doctor scenario.yml --limit node_1 --json")),
    "clean": (
        Example("clean scenario.yml", "list what is left, and ask"),
        Example("clean last --yes", "end what a run has left, and prove it"),
    ),
    "init": (Example("init"), Example("init mine.yml"), Example("init -", "print it")),
    "demo": (Example("demo"), Example("demo --headless", "in CI: see that all is there")),
    "config": (Example("config show --origin"), Example("config path --json")),
    "completion": (
        Example("completion bash >> ~/.bash_completion"),
        Example("completion zsh > ~/.zfunc/_octogram-tui", "with ~/.zfunc in fpath"),
        Example("completion fish > ~/.config/fish/completions/octogram-tui.fish"),
    ),
}
"""By command; the main one's is ''."""


def lines_of(command: str) -> list[str]:
    """Give the examples of a command as lines for people, what they do in one column."""
    examples = EXAMPLES.get(command, ())
    width = max((len(each.line) for each in examples if each.what), default=0)
    return [f"  octogram-tui {each.line:{width if each.what else 0}}  {each.what}".rstrip() for each in examples]
