"""What could stand at the end of a command line: asked by the shells' scripts, at each press of the key.

The first line printed says how: `plain` or `nospace` (no space is to follow), and which names of files fit as well:
`files`, `scenario` or `dirs`. Then a candidate a line, with a tab and what it is. It never fails: whoever presses the
key wants no error in his prompt. Nothing is run and no parser is made: the table beside the scripts has the options.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from octogram_tui.resources import completion_dir, themes_dir

if TYPE_CHECKING:
    from octogram_tui.model.scenario import Scenario

BREAKS = "\"'@><=;|&(:"  # where bash cuts words
MOST_RUNS = 200
EXTENSIONS = (".yml", ".yaml", ".json")
LIKE_A_RUN = ("demo",)  # commands that take the options of a run, beside the one that is a scenario's file


class Found(NamedTuple):
    """Candidates, each with what it is; files: which names of files fit too; is_whole: whether a space may follow."""

    values: Iterable[tuple[str, str]] = ()
    files: str = ""
    is_whole: bool = True


class Line(NamedTuple):
    """A command line up to the cursor, read by the table. waiting: the option whose value is under the cursor."""

    command: str
    given: dict[str, list[str]]
    words: list[str]
    waiting: dict[str, Any] | None
    prefix: str  # what stands before that value in its word, such as `--from=`
    current: str
    is_past_options: bool

    @property
    def may_have_dash(self) -> bool:
        """Whether a word that begins with a dash is read as what it completes: as an option, or behind `=` or `--`."""
        is_option = self.waiting is None and self.current.startswith("-")
        return bool(is_option or self.prefix or self.is_past_options)


def main(argv: Sequence[str]) -> int:
    """Print the candidates for: SHELL WORD... CURRENT; of bash: LINE PIECE, since it cuts words where we do not."""
    try:
        shell, *words = argv
        piece = ""
        if shell == "bash":
            text, piece = words
            words = split(text)[1:]
        print("\n".join(answer(words[:-1], words[-1] if words else "", piece, shell)))
    except Exception:  # see above
        return 1
    return 0


def answer(words: Sequence[str], current: str, piece: str = "", shell: str = "") -> Iterator[str]:
    """Give the lines to print."""
    is_bash = shell == "bash"
    line = read_line(table(), words, current)
    found = candidates(line)
    yield " ".join(["plain" if found.is_whole else "nospace", *([found.files] if found.files else [])])
    cut = len(current) - len("" if piece in BREAKS else piece) if current.endswith(piece) and piece else 0
    if is_bash and piece in BREAKS and piece and current.endswith(piece):
        cut = len(current)
    for value, what in found.values:
        whole = line.prefix + value
        if shell == "fish" and whole.startswith("~"):  # it writes this as it is, and takes it for a home
            continue
        if value.startswith("-") and not line.may_have_dash:
            continue
        if value and whole.startswith(current) and f"{whole}{what}".isprintable():
            yield whole[cut:] if is_bash else f"{whole}\t{what}" if what else whole


def table() -> dict[str, Any]:
    """Read what each command takes: made from the parsers by `python -m tools.pages`."""
    found: dict[str, Any] = json.loads((completion_dir() / "words.json").read_text())
    return found


def split(text: str) -> list[str]:
    """Give the words of a line of bash; the last one is that under the cursor, be it empty."""
    words, word, quote, is_open = [], "", "", False
    place = 0
    while place < len(text):
        letter = text[place]
        place += 1
        if quote == "'" and letter != "'":
            word += letter
        elif letter == "\\" and place < len(text) and (not quote or text[place] in '"\\$`'):
            word, is_open = word + text[place], True
            place += 1
        elif letter == quote:
            quote = ""
        elif not quote and letter in "\"'":
            quote, is_open = letter, True
        elif not quote and letter in " \t\n":
            if is_open:
                words.append(word)
            word, is_open = "", False
        else:
            word, is_open = word + letter, True
    return [*words, word]


def read_line(known: dict[str, Any], words: Sequence[str], current: str) -> Line:
    """Read a line by the table."""
    command, rest = "", list(words)
    if rest and rest[0] in known["commands"]:
        command, rest = rest[0], rest[1:]
    options = options_of(known, command, rest)
    given: dict[str, list[str]] = {}
    plain: list[str] = []
    waiting: dict[str, Any] | None = None
    is_past = False
    for word in rest:
        if waiting is not None:
            given.setdefault(waiting["dest"], []).append(word)
            waiting = None
        elif is_past or not word.startswith("-"):
            plain.append(word)
        elif word == "--":
            is_past = True
        else:
            name, separator, value = word.partition("=") if word.startswith("--") else (word[:2], word[2:], word[2:])
            option = options.get(name)
            if option is not None and option["takes"]:
                if separator:
                    given.setdefault(option["dest"], []).append(value)
                else:
                    waiting = option
    prefix = ""
    if waiting is None and not is_past and current.startswith("--") and "=" in current:
        name, _, _ = current.partition("=")
        waiting, prefix = options.get(name, {"dest": "", "kind": ""}), f"{name}="
    return Line(command, given, plain, waiting, prefix, current, is_past)


def options_of(known: dict[str, Any], command: str, words: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Give the options of a command by their names; `serve` takes those of a run when it begins one."""
    tables = [known["commands"].get(command, {"options": []})["options"]]
    if command in LIKE_A_RUN or (command == "serve" and any(word.endswith(EXTENSIONS) for word in words)):
        tables.append(known["commands"][""]["options"])
    return {name: option for options in tables for option in options for name in option["names"]}


def candidates(line: Line) -> Found:
    """Give what could stand under the cursor."""
    known = table()
    if line.waiting is not None:
        return of_kind(line.waiting.get("kind", ""), line, line.waiting.get("choices", ()))
    if line.current.startswith("-") and not line.is_past_options:
        options = options_of(known, line.command, line.words)
        whole = [(names[-1], option["help"]) for names, option in ((o["names"], o) for o in options.values())]
        return Found(dict.fromkeys(whole))
    kinds = known["commands"].get(line.command, {"words": []})["words"]
    place = len(line.words)
    if line.command == "" and place == 0:
        commands = [(name, text) for name, text in known["help"].items()] if not line.given else []
        return Found(commands, "scenario")
    if not kinds:
        return Found()
    kind = kinds[place] if place < len(kinds) else kinds[-1] if kinds[-1].get("repeats") else None
    return Found() if kind is None else of_kind(kind["kind"], line, kind.get("choices", ()))


def of_kind(kind: str, line: Line, choices: Sequence[str]) -> Found:
    """Give the candidates of one kind of value."""
    value = line.current.removeprefix(line.prefix)
    match kind:
        case "choice":
            return Found([(choice, "") for choice in choices])
        case "file" | "dirs":
            return Found(files="files" if kind == "file" else "dirs")
        case "scenario":
            return Found(files="scenario")
        case "run":
            return Found([(name, "") for name in runs()], "files" if "/" in value else "")
        case "run or scenario":
            return Found([(name, "") for name in runs()], "scenario")
        case "theme":
            from octogram_tui.settings import load

            places = (themes_dir(), load().config_dir / "themes")
            return Found(
                [(name, "") for name in sorted({file.stem for place in places for file in place.glob("*.toml")})]
            )
    if kind == "word" and line.command == "ask" and len(line.words) == 1:
        from octogram_tui.runtime.verbs import VERBS

        return Found([(name, verb.help) for name, verb in VERBS.items()])
    if kind in ("stage", "agent", "tag", "variable", "secret", "row", "word"):
        scenario = scenario_of(line)
        return Found() if scenario is None else of_scenario(kind, scenario, value)
    return Found()


def of_scenario(kind: str, scenario: Scenario, value: str) -> Found:
    """Give names of a scenario. value: what is typed of one."""
    stages = [(stage.name, "stage") for stage in scenario.stages]
    agents = [(str(agent.name), agent.address or "agent") for agent in scenario.agents]
    match kind:
        case "stage":
            return Found(stages)
        case "agent":
            return Found(agents)
        case "tag":
            tags = {tag for stage in scenario.stages for tag in (*stage.tags, *(t for j in stage.jobs for t in j.tags))}
            before = value[: value.rfind(",") + 1]
            return Found([(before + tag, "tag") for tag in sorted(tags - set(before.split(",")))])
        case "variable":
            return Found(
                [(f"{name}=", "variable") for name in scenario.variables if name not in scenario.secrets],
                is_whole=False,
            )
        case "secret" if "=" in value:
            name = value.partition("=")[0]
            return Found([(f"{name}={way}:", "") for way in ("env", "file", "command", "keyring")], is_whole=False)
        case "secret":
            return Found([(f"{name}=", "secret") for name in scenario.secrets], is_whole=False)
    before, at, _ = value.partition("@")
    if at:
        return Found([(f"{before}@{name}", what) for name, what in agents])
    jobs = [(f"{stage.key}/{job.key}", "job") for stage in scenario.stages for job in stage.jobs]
    return Found([*((str(stage.key), "stage") for stage in scenario.stages), *jobs, *agents])


def runs() -> list[str]:
    """Name the runs that are known here, the newest first."""
    from octogram_tui.settings import load

    try:
        names = sorted((entry.name for entry in os.scandir(load().runs_dir) if entry.name[:1] != "."), reverse=True)
    except OSError:
        return []
    return ["last", *names[:MOST_RUNS]] if names else []


def scenario_of(line: Line) -> Scenario | None:
    """Read the scenario that a line is about, or the one of its run, as far as can be; None where nothing can.

    It is only read: no list of agents is asked that a program tells, be it named by the line itself.
    """
    from octogram_tui.errors import OctogramError

    try:
        files = [os.path.expanduser(word) for word in line.words if word.endswith(EXTENSIONS)]
        if not files:
            return _scenario_of_run(line)
        from octogram_tui.scenario.load import read_what_is_there

        return read_what_is_there(
            files[0], agent_files=[os.path.expanduser(name) for name in line.given.get("agents", ())]
        )
    except (OctogramError, OSError):
        return None


def _scenario_of_run(line: Line) -> Scenario | None:
    names = line.given.get("rerun_failed") or line.words
    if not names:
        return None
    from octogram_tui.commands.loading import load_kept
    from octogram_tui.journal import archive, terms
    from octogram_tui.settings import load

    directory = archive.find(load().runs_dir, names[0]).directory
    return load_kept(directory, terms.find(directory).digest, may_run=False).scenario
