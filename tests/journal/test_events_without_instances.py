"""A line about an instance that names none is refused, also once there were so many that they are read quickly."""

from __future__ import annotations

import pytest

from octogram_tui.engine import events as ev
from octogram_tui.journal import codec
from octogram_tui.journal.line_reader import OFTEN
from octogram_tui.model.ids import InstanceId

ABOUT = InstanceId("s", "j", "a")


@pytest.mark.parametrize("event", [ev.JobProgress(instance=ABOUT, text="at it"), ev.JobStarted(instance=ABOUT)])
def test_an_event_of_no_instance_is_refused(event: ev.Event) -> None:
    record = codec.load(codec.encode(event))
    for key in ("", None):
        with pytest.raises(ValueError, match="names the instance"):
            codec.from_dict({**record, "key": key})
    for _ in range(OFTEN):
        codec.from_dict(record)
    for key in ("", None):
        with pytest.raises(ValueError, match="names the instance"):
            codec.from_dict({**record, "key": key})


def test_what_a_process_wrote_is_of_no_instance() -> None:
    event = ev.JobOutput(instance=None, agent="a", process="p", lines=["x"], stream="stdout")
    assert codec.decode(codec.encode(event)) == event
