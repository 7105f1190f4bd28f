"""When the collector of reference cycles looks through memory: not while what is loaded only grows, nor at the end.

What a start loads lives as long as the process. Looking through it again and again is a tenth of the CPU of a start;
going through it a last time, so that each object's end is orderly, takes longer than all else that an end does.
"""

import gc

_USUAL = gc.get_threshold()
_WHILE_LOADING = 100_000
"""How many objects more than were freed there may be: more than a start makes; who never settles is looked at too."""


def put_off() -> None:
    """Hardly ever look, until `settle`: the process loads its program."""
    gc.set_threshold(_WHILE_LOADING, *_USUAL[1:])


def settle() -> None:
    """Look as usual from here on, where that was put off, at what comes now: what is there stays."""
    if gc.get_threshold()[0] == _WHILE_LOADING:
        gc.freeze()
        gc.set_threshold(*_USUAL)


def leave() -> None:
    """Never look again: the process ends, and the system takes its memory as a whole. What is open has been closed."""
    gc.disable()
    gc.freeze()
