"""`octogram-tui ask`: one request to a run that goes on, from a shell or a script."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from octogram_tui.commands.options import CommandParser, parse
from octogram_tui.errors import AttachRefused, ExitCode, Problem, RequestDenied, UsageError
from octogram_tui.journal import archive
from octogram_tui.projection.text import printed, safe
from octogram_tui.runtime import typed_verbs, verbs
from octogram_tui.runtime.answers import told, without_secrets
from octogram_tui.runtime.verbs import (
    Evaluate,
    Expected,
    ForeseeFile,
    ForeseeSet,
    LogQuery,
    OnlyWatch,
    TakeControl,
    Whereabouts,
)
from octogram_tui.settings import load

EPILOG = """\
Without a verb it lists the verbs. A word that holds spaces is quoted as the shell wants it, and words that begin
with a dash stand behind `--`. The exit code is 0 when the run took the request, 9 when it refused it or could not
be asked, 2 when the words are wrong, and 3 when `check` found something wrong in the scenario's file. `--json` prints
the answer as a line of JSON, a refusal stays one on standard error."""

OF_CONSOLES = (TakeControl, OnlyWatch)
"""What is about a connection that stays: a command's ends with it."""
ASIDE = (Evaluate, Expected, ForeseeSet, ForeseeFile, Whereabouts)
"""What is told, and leads to nothing: what is printed is the answer alone."""


def main(argv: Sequence[str]) -> int:
    """Ask, wait until the run has taken the request or refused it, and say in a line what came of it."""
    parser = CommandParser("ask", "Ask something of a run that goes on.", epilog=EPILOG)
    parser.add_argument("run", metavar="RUN", help="its name, the beginning of it, or `last`")
    parser.add_argument("words", metavar="WORD", nargs="*", help="a verb, then its arguments")
    parser.add_argument(
        "--take-control", action="store_true", help="also when a console holds control; it has it again afterwards"
    )
    end = argv.index("--") if "--" in argv else len(argv)  # what stands behind is never an option
    parser.add_argument("--json", action="store_true", help="print what the run answered, as a line of JSON")
    before = sorted(argv[:end], key=lambda word: not word.startswith("--"))  # else what follows them is not a verb's
    args = parse(parser, before)
    typed = [*args.words, *argv[end + 1 :]]
    if not typed:
        print("\n".join(_listing()))
        return 0
    asked = typed_verbs.parse(typed)
    verb = verbs.verb_of(asked)
    if isinstance(asked, OF_CONSOLES):
        raise UsageError(f"{verb.name} is asked by a console, about itself", hint="`octogram-tui attach` opens one")
    run = archive.find(load().runs_dir, args.run)
    if run.state != "running":
        raise AttachRefused(f"run {run.id} is {run.state}: there is nothing to ask of it")
    from octogram_tui.runtime.asking import ask

    try:
        answer = asyncio.run(ask(run.info.socket, asked, takes_control=args.take_control))
        if isinstance(asked, LogQuery) and not args.json:
            _print_log(answer, asked)
            while asked.gap and answer.get("following"):
                asked = replace(asked, first=answer["following"])
                answer = asyncio.run(ask(run.info.socket, asked))
                _print_log(answer, asked)
            return 0
    except RequestDenied as denied:
        raise RequestDenied(f"{run.id} refused {verb.name}: {safe(denied.message)}") from None
    problems = [Problem(*entry) for entry in answer.get("problems", [])]
    if args.json:
        from octogram_tui.scenario.report import json_text

        print(json_text({"run": run.id, **without_secrets(answer)}))
    elif isinstance(asked, ASIDE):
        print("\n".join(told(answer)))
    else:
        print(f"{run.id} took {verb.name}: {', '.join(told(answer))}")
    if problems and not args.json:
        from octogram_tui.scenario.report import as_text

        print(as_text(problems))
    return int(ExitCode.SCENARIO) if problems else 0


def _print_log(answer: dict[str, Any], asked: LogQuery) -> None:
    gone = answer.get("first", 0) - asked.first
    if asked.gap and gone > 0:
        print(f"octogram-tui: {gone} lines are not kept any more", file=sys.stderr)
    for line in answer["lines"]:
        print(safe(printed(line), limit=len(line)))
    if answer["trouble"]:
        print(f"octogram-tui: {safe(answer['trouble'])}", file=sys.stderr)
    if answer["size_bytes"] > asked.size_bytes:
        print(f"octogram-tui: the end of {answer['size_bytes']} bytes", file=sys.stderr)


def _listing() -> Iterator[str]:
    """Give the table of verbs as people read it."""
    for verb in verbs.TABLE:
        if verb.request in OF_CONSOLES:
            continue
        yield verbs.usage(verb)
        yield f"    {verb.help}"
        width = max((len(argument.name) for argument in verb.arguments), default=0)
        for argument in verb.arguments:
            yield f"    {argument.name:{width}}  {argument.help} ({argument.type.name})"
