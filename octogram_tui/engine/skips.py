"""Going on as if all that failed, or is held, had succeeded; what cannot be is left out, and said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from octogram_tui.engine.events import WarningGiven
from octogram_tui.engine.rerun_all import chosen_of, where_of
from octogram_tui.engine.states import InstanceState
from octogram_tui.engine.stimuli import SkipAllRequest

if TYPE_CHECKING:
    from octogram_tui.engine.machine import Engine

_WORDS = {"failed": "nothing stands failed", "held": "nothing is held"}


def skip_all(engine: Engine, asked: SkipAllRequest) -> str:
    """Skip what is so now: what comes to the gate by that is not meant. Says why when there is nothing."""
    instances = engine.instances
    states: tuple[InstanceState, ...] = ("undecided",) if asked.which == "failed" else ("held", "stopped")
    there = dict.fromkeys(i.id for i in instances.in_state(*states))
    chosen = list(chosen_of(asked, list(there) if not asked.instances else asked.instances))
    meant = [id_ for id_ in chosen if id_ in there]
    left_out = [id_ for id_ in chosen if id_ not in there]
    if not meant:
        others = f": {left_out[0]} is not so" if left_out else ""
        where = where_of(asked)
        return f"{_WORDS[asked.which]}{f' in {where}' if where else ''}{others}"
    if left_out:
        named = str(left_out[0]) if len(left_out) == 1 else f"{len(left_out)} rows"
        engine.core.emit(WarningGiven(message=f"not skipped, since {_NOT_SO[asked.which]}: {named}"))
    for id_ in meant:
        if instances.find(id_, *states) is not None:
            engine.dispatcher.pass_over(id_)
    return ""


_NOT_SO = {"failed": "it does not stand failed", "held": "it is not held"}
