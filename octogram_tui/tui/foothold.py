"""What was chosen at one moment, found again at another: the rows of two moments are not the same objects."""

from __future__ import annotations

from octogram_tui.tui.model import Model, Subject


class Foothold:
    """Keeps to what was chosen through moments at which it is not there: what holds it stands for it meanwhile."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._wanted: Subject | None = None  # what was chosen, while it is not there
        self._stand_in: Subject | None = None

    def again(self, subject: Subject | None) -> Subject | None:
        """Give at the moment that is looked at what was chosen at another one, or what holds it."""
        wanted = self._wanted if self._wanted is not None and subject is self._stand_in else subject
        found = self._model.same(wanted)
        is_there = wanted is None or (found is not None and key_of(found) == key_of(wanted))
        self._wanted, self._stand_in = (None, None) if is_there else (wanted, found)
        return found

    @property
    def is_bridged(self) -> bool:
        """Whether something stands for what was chosen."""
        return self._wanted is not None

    def stand_in(self, subject: Subject | None) -> None:
        """Something else than was given stands for what is not there."""
        self._stand_in = subject


def key_of(subject: Subject) -> object:
    """Name a subject at any moment."""
    return getattr(subject, "key", None) or (type(subject), subject.name)  # type: ignore[union-attr]
