"""What verbs are given, and the arguments that several of them share."""

from __future__ import annotations

from typing import NamedTuple, get_args

from octogram_tui.engine import stimuli
from octogram_tui.model.breakpoint import WHEN
from octogram_tui.runtime.argument_types import FLAG, INSTANCES, NUMBER, TEXT, ArgumentType, one_of


class Argument(NamedTuple):
    """What a verb is given: the field of its request, what it takes, and what it means."""

    name: str
    type: ArgumentType
    help: str


AGENTS = Argument("agent", TEXT, "of this agent only; `*` in it stands for anything")
INPUTS = Argument(
    "inputs", one_of(get_args(stimuli.Inputs)), "with the variables as they are now, or as it read them then"
)
WHICH_ROWS = (
    Argument("stage", TEXT, "of this stage only"),
    Argument("job", TEXT, "of jobs of this name only"),
    Argument("agent", TEXT, "on this agent only"),
    Argument("instances", INSTANCES, "of these instances only"),
)
OF_BREAKPOINT = (
    Argument("when", one_of(WHEN), "at which point"),
    Argument("name", TEXT, "of `variable` which one, of `failed` the kind of failure"),
    Argument("condition", TEXT, "an expression that has to hold"),
    Argument("hits", TEXT, "how often it has to be met: 3 from the third on, =3 then only, %3 each third time"),
    Argument("log", TEXT, "a text to write, with templates; it goes on then"),
    Argument("is_once", FLAG, "used once"),
    Argument("is_on", FLAG, "false: kept, and does nothing"),
    Argument("number", NUMBER, "change this one instead"),
)
