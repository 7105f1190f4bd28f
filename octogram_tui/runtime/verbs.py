"""The table of verbs: all that an operator may ask of a run, each once. Every front end is made from it.

A verb has one form for programs (requests.py: a dictionary for JSON) and one for people who type (typed_verbs.py: the
required arguments in their order, then `name=value` for the others). Either inverts itself.
"""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any, NamedTuple, get_args

from octogram_tui.cuts import quoted
from octogram_tui.dataclass import dataclass
from octogram_tui.engine import stimuli
from octogram_tui.engine.stimuli import Stimulus
from octogram_tui.errors import UsageError
from octogram_tui.model.ids import InstanceId
from octogram_tui.runtime.argument_types import (
    COUNT,
    EXIT_CODE,
    FLAG,
    INSTANCE,
    MOST_LOG_BYTES,
    NUMBER,
    PATTERN,
    SIZE,
    TEXT,
    VALUE,
    VALUES,
    ArgumentType,
    one_of,
)
from octogram_tui.runtime.arguments import AGENTS, INPUTS, OF_BREAKPOINT, WHICH_ROWS, Argument

WHICH = ("failed", "stale")
"""What `rerun_all` may be asked for."""

WHICH_SKIPPED = ("failed", "held")
"""What `skip_all` may be asked for."""


@dataclass(slots=True, frozen=True)
class TakeControl:
    """Become the console that may act."""


@dataclass(slots=True, frozen=True)
class OnlyWatch:
    """Look only, and leave control to others."""


@dataclass(slots=True, frozen=True)
class LogQuery:
    """Read what an agent has of a log: its end, or what was left out of it; no event comes of it."""

    agent: str
    process: str
    size_bytes: int = MOST_LOG_BYTES
    gap: int = 0
    first: int = 0


@dataclass(slots=True, frozen=True)
class LookAtFile:
    """Read the scenario's files now, as if they had just been saved."""


@dataclass(slots=True, frozen=True)
class CheckFile:
    """Read the scenario's files, and tell what is wrong with them; the run takes nothing of it."""


@dataclass(slots=True, frozen=True)
class Evaluate:
    """Give an expression's value now, in the scope of an instance, of an agent, or of the run."""

    expression: str
    instance: InstanceId | None = None
    agent: str = ""


@dataclass(slots=True, frozen=True)
class ForeseeSet:
    """Tell what setting a variable would make stale, fresh, or run differently; nothing is set."""

    name: str
    value: Any = None
    remove: bool = False


@dataclass(slots=True, frozen=True)
class ForeseeFile:
    """Tell what the scenario's file as it stands would change, by instance; the run takes nothing of it."""


@dataclass(slots=True, frozen=True)
class Expected:
    """Tell what an instance's next attempt would be given, beside the templates that it comes of."""

    instance: InstanceId


@dataclass(slots=True, frozen=True)
class Whereabouts:
    """Tell the directory and environment that an instance's command has on its agent, for a shell there."""

    instance: InstanceId


Asked = (
    Stimulus
    | TakeControl
    | OnlyWatch
    | LogQuery
    | LookAtFile
    | CheckFile
    | Evaluate
    | ForeseeSet
    | ForeseeFile
    | Expected
    | Whereabouts
)
"""What a verb becomes; but for the stimuli it is about the asker alone, and the run never hears of it."""


class Verb(NamedTuple):
    """Something that an operator may ask. `request` is what it becomes."""

    name: str
    help: str
    request: type[Any]
    arguments: tuple[Argument, ...] = ()
    needs_control: bool = True

    def default(self, argument: Argument) -> Any:
        """Give what the request has where nothing is given; MISSING for an argument that is required."""
        given = next(field for field in fields(self.request) if field.name == argument.name)
        return given.default if given.default_factory is MISSING else given.default_factory()

    def is_required(self, argument: Argument) -> bool:
        """Whether it has to be given."""
        return self.default(argument) is MISSING

    def given(self, asked: Any) -> dict[Argument, Any]:
        """Give the arguments of a request as JSON has them, but for those that are what they are anyway."""
        values = {argument: getattr(asked, argument.name) for argument in self.arguments}
        return {arg: arg.type.to_json(value) for arg, value in values.items() if value != self.default(arg)}


TABLE: tuple[Verb, ...] = (
    Verb("pause", "hold before the next job; what runs goes on", stimuli.PauseRequest, (AGENTS,)),
    Verb("go", "let the run go on", stimuli.GoRequest, (AGENTS,)),
    Verb(
        "step",
        "let one attempt through and hold again; or a whole row, or the rest of what is around it",
        stimuli.StepRequest,
        (
            Argument("depth", one_of(get_args(stimuli.Depth)), "one attempt, the row, or the rest around it"),
            Argument("unit", PATTERN, "the row; else what is next"),
            AGENTS,
        ),
    ),
    Verb(
        "until",
        "go on until a row is about to begin",
        stimuli.UntilRequest,
        (Argument("row", PATTERN, "the row"), AGENTS),
    ),
    Verb(
        "hold_mode",
        "choose what breakpoints and failures hold: everything, or the agent alone",
        stimuli.HoldModeRequest,
        (Argument("mode", one_of(get_args(stimuli.HoldMode)), "what they hold"),),
    ),
    Verb(
        "break",
        "stop at rows, failures, changes of variables, lost agents; or write a text there",
        stimuli.BreakRequest,
        (Argument("pattern", PATTERN, "what rows are meant; `*` for any"), *OF_BREAKPOINT),
    ),
    Verb(
        "switch_break",
        "switch a breakpoint on or off; 0 for all but the one of on_failure",
        stimuli.SwitchBreakRequest,
        (Argument("number", NUMBER, "its number"), Argument("is_on", FLAG, "whether it is on")),
    ),
    Verb(
        "remove_break",
        "take a breakpoint away; 0 for all but the one of on_failure",
        stimuli.RemoveBreakRequest,
        (Argument("number", NUMBER, "its number"),),
    ),
    Verb(
        "confirm",
        "answer a stage that asks before it runs",
        stimuli.ConfirmRequest,
        (
            Argument("stage", TEXT, "the stage that asks"),
            Argument("answer", FLAG, "whether it runs"),
            Argument("by", TEXT, "who answers"),
        ),
    ),
    Verb(
        "rerun",
        "run again, as new attempts: a stage, a job, or one job on one agent",
        stimuli.RerunRequest,
        (
            Argument("stage", TEXT, "the stage"),
            Argument("job", TEXT, "this job of it only"),
            Argument("agent", TEXT, "on this agent only"),
            Argument("instance", INSTANCE, "this instance only"),
            INPUTS,
            Argument("from_here", FLAG, "and all that came after it there"),
        ),
    ),
    Verb(
        "back",
        "go back to the beginning of a stage: variables as they were, what came later stale; what agents did stays",
        stimuli.BackRequest,
        (Argument("stage", TEXT, "the stage"),),
    ),
    Verb(
        "rerun_all",
        "run again all that stands failed, or is stale, and nothing else; what cannot be is left out, and said",
        stimuli.RerunAllRequest,
        (
            Argument("which", one_of(WHICH), "what is meant"),
            *WHICH_ROWS,
            Argument("go", FLAG, "and let the run go on"),
            INPUTS,
        ),
    ),
    Verb(
        "skip",
        "go on as if the failed or held row had succeeded; recorded as yours",
        stimuli.SkipRequest,
        (Argument("instance", INSTANCE, "the instance"),),
    ),
    Verb(
        "skip_all",
        "go on as if all of these had succeeded",
        stimuli.SkipAllRequest,
        (Argument("which", one_of(WHICH_SKIPPED), "what is meant"), *WHICH_ROWS),
    ),
    Verb(
        "set_arguments",
        "give a held or failed row other arguments for its next attempt",
        stimuli.SetArgumentsRequest,
        (
            Argument("instance", INSTANCE, "the instance"),
            Argument("arguments", VALUES, "argument and value; the others stay as the text has them"),
            Argument("remove", FLAG, "those of the text again"),
        ),
    ),
    Verb(
        "set_variable",
        "set a variable of the run",
        stimuli.SetVariableRequest,
        (
            Argument("name", TEXT, "the variable"),
            Argument("value", VALUE, "what it is to be"),
            Argument("remove", FLAG, "take it away instead"),
        ),
    ),
    Verb(
        "stop",
        "end the run: what runs is ended, `always` stages run, the agents are cleaned",
        stimuli.StopRequest,
        (
            Argument("by", TEXT, "who stops it; `operator` when it is not said"),
            Argument("exit_code", EXIT_CODE, "what the run ends with"),
            Argument("force", FLAG, "without grace"),
        ),
    ),
    Verb(
        "log",
        "read the end of what an attempt or a process wrote, as its agent has it, or what was left out before",
        LogQuery,
        (
            Argument("agent", TEXT, "the agent that has it"),
            Argument(
                "process", TEXT, "the process, or the attempt as stage/job@agent[item]#number; '' for any, by gap"
            ),
            Argument("size_bytes", SIZE, "how much of the end"),
            Argument("gap", COUNT, "instead of the end: lines that were left out, by the number that the event has"),
            Argument("first", COUNT, "which of them to begin with, counted from 0"),
        ),
        needs_control=False,
    ),
    Verb(
        "evaluate",
        "give the value of an expression over vars, agent, re, item and res",
        Evaluate,
        (
            Argument("expression", TEXT, "the expression"),
            Argument("instance", INSTANCE, "as this instance sees it"),
            Argument("agent", TEXT, "as this agent sees it"),
        ),
        needs_control=False,
    ),
    Verb(
        "foresee_set",
        "say what setting a variable would make stale; nothing is set",
        ForeseeSet,
        (
            Argument("name", TEXT, "the variable"),
            Argument("value", VALUE, "what it would be"),
            Argument("remove", FLAG, "as if it were taken away"),
        ),
        needs_control=False,
    ),
    Verb(
        "foresee_file",
        "say what the scenario's file as it stands would change; the run takes nothing of it",
        ForeseeFile,
        needs_control=False,
    ),
    Verb(
        "arguments",
        "give what a row's next attempt would be given, beside the templates",
        Expected,
        (Argument("instance", INSTANCE, "the instance"),),
        needs_control=False,
    ),
    Verb(
        "whereabouts",
        "give the directory and environment that a row's command has on its agent",
        Whereabouts,
        (Argument("instance", INSTANCE, "the instance"),),
        needs_control=False,
    ),
    Verb(
        "reload_mode",
        "choose what becomes of an edit of the file: in force at once, or when `reload` is asked",
        stimuli.ReloadModeRequest,
        (Argument("mode", one_of(get_args(stimuli.ReloadMode)), "which"),),
    ),
    Verb("reload", "read the scenario's file now, without waiting until it is saved", LookAtFile),
    Verb(
        "check",
        "say what is wrong with the scenario's file as it stands; the run takes nothing of it",
        CheckFile,
        needs_control=False,
    ),
    Verb("take_control", "act on a run that another console holds", TakeControl, needs_control=False),
    Verb("watch", "look only, and leave control to others", OnlyWatch, needs_control=False),
)
"""Order is that of help."""

VERBS = {verb.name: verb for verb in TABLE}
_BY_REQUEST = {verb.request: verb for verb in TABLE}


def verb_of(asked: Asked | Any) -> Verb:
    """Find the verb that something was asked by. Raises UsageError for what no operator may ask."""
    verb = _BY_REQUEST.get(type(asked))
    if verb is None:
        raise UsageError(f"{type(asked).__name__} cannot be asked for")
    return verb


def named(name: str) -> Verb:
    """Find a verb. Raises UsageError."""
    verb = VERBS.get(name)
    if verb is None:
        raise UsageError(f"there is no verb {quoted(name, 40)}", hint=f"one of {', '.join(VERBS)}")
    return verb


def usage(verb: Verb) -> str:
    """Say how a verb is typed."""
    shown = [arg.name.upper() if verb.is_required(arg) else f"[{arg.name}=...]" for arg in verb.arguments]
    return " ".join([verb.name, *shown])


def request_of(verb: Verb, given: dict[str, Any]) -> Asked:
    """Make the request of values as JSON has them. Raises UsageError, in one line."""
    arguments = {argument.name: argument for argument in verb.arguments}
    unknown = next((name for name in given if name not in arguments), None)
    if unknown is not None:
        raise UsageError(f"{verb.name} has no argument {quoted(unknown, 40)}", hint=usage(verb))
    missing = next((arg.name for arg in verb.arguments if verb.is_required(arg) and arg.name not in given), None)
    if missing is not None:
        raise UsageError(f"{verb.name} needs `{missing}`: {arguments[missing].help}", hint=usage(verb))
    read: dict[str, Any] = {}
    for name, value in given.items():
        try:
            is_nothing = value is None and verb.default(arguments[name]) is None
            read[name] = None if is_nothing else arguments[name].type.from_json(value)
        except ValueError:
            raise not_of_type(verb, name, arguments[name].type) from None
    asked: Asked = verb.request(**read)
    return asked


def not_of_type(verb: Verb, name: str, wanted: ArgumentType) -> UsageError:
    """Say what an argument has to be."""
    return UsageError(f"{verb.name}: `{name}` must be {wanted.name}", hint=usage(verb))
