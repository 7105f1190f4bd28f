"""An agent is given its next attempt while it has one: it begins when that ends well, and is executed once at most."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agent_harness import Connection, Place

HELD_S = 0.3


def ahead(connection: Connection, name: str, after: str, **args: Any) -> None:
    """Send what is to begin after another attempt."""
    connection.send("run", id=name, procedure="own.command", args=args, after=after)


def begun(connection: Connection, name: str, path: Path, state: str = "ok") -> None:
    """Send an attempt that goes on until a file is there."""
    script = f"while [ ! -e {path} ]; do sleep 0.01; done; exit {0 if state == 'ok' else 3}"
    connection.send("run", id=name, procedure="own.command", args={"argv": ["sh", "-c", script]})


def noted(path: Path) -> list[str]:
    """A command that says in a file that it was executed."""
    return ["sh", "-c", f"echo x >> {path}"]


def test_it_begins_once_the_one_before_has_ended_well(place: Place, tmp_path: Path) -> None:
    """Also when that ended before it came, and however often it is sent."""
    go, note = tmp_path / "go", tmp_path / "note"
    connection = place.connect()
    begun(connection, "a#1", go)
    ahead(connection, "b#1", "a#1", argv=noted(note))
    connection.ok("own.noop")
    assert not note.exists()
    go.touch()
    assert connection.expect("finished", id="a#1")["state"] == "ok"
    assert connection.expect("finished", id="b#1")["state"] == "ok"
    ahead(connection, "c#1", "b#1", argv=noted(note))
    assert connection.expect("finished", id="c#1")["state"] == "ok"
    ahead(connection, "c#1", "b#1", argv=noted(note))
    connection.send("run", id="b#1", procedure="own.command", args={"argv": noted(note)})
    assert connection.expect("finished", id="c#1")["state"] == "ok"
    assert connection.expect("finished", id="b#1")["state"] == "ok"
    assert note.read_text() == "x\nx\n"
    connection.stop()


def test_after_a_failure_it_never_begins_by_that_order(place: Place, tmp_path: Path) -> None:
    """Its name was not used up: it may be sent once more, and is executed then."""
    go, note = tmp_path / "go", tmp_path / "note"
    connection = place.connect()
    begun(connection, "a#1", go, "failed")
    ahead(connection, "b#1", "a#1", argv=noted(note))
    go.touch()
    assert connection.expect("finished", id="a#1")["state"] == "failed"
    ahead(connection, "c#1", "a#1", argv=noted(note))  # that one has failed already
    connection.ok("own.noop")
    assert not note.exists()
    assert connection.do("own.command", "b#1", argv=noted(note))["state"] == "ok"
    ahead(connection, "d#1", "nobody#1", argv=noted(note))  # of which nobody knows how it ended
    assert connection.expect("finished", id="d#1")["error"]["kind"] == "forgotten"
    assert note.read_text() == "x\n"
    connection.stop()


def test_it_is_taken_back_in_time_or_said_to_have_begun(place: Place, tmp_path: Path) -> None:
    go, stay, note = tmp_path / "go", tmp_path / "stay", tmp_path / "note"
    connection = place.connect()
    begun(connection, "a#1", go)
    ahead(connection, "b#1", "a#1", argv=noted(note))
    connection.send("recall", id="b#1", after="a#1")
    assert connection.expect("recalled", id="b#1", after="a#1")["begun"] is False
    connection.send("recall", id="b#1", after="a#1")
    assert connection.expect("recalled", id="b#1")["begun"] is False
    ahead(connection, "c#1", "a#1", argv=["sh", "-c", f"while [ ! -e {stay} ]; do sleep 0.01; done"])
    go.touch()
    connection.expect("finished", id="a#1")
    connection.send("recall", id="c#1", after="a#1")
    assert connection.expect("recalled", id="c#1")["begun"] is True
    stay.touch()
    assert connection.expect("finished", id="c#1")["state"] == "ok"
    assert not note.exists()
    connection.stop()


def test_its_time_counts_from_when_it_begins_and_it_does_not_outlive_an_end(place: Place, tmp_path: Path) -> None:
    go, note = tmp_path / "go", tmp_path / "note"
    connection = place.connect()
    for number in range(1, 6):  # a machine that stands still makes anything last longer, but not each time
        connection.send("run", id=f"a#{number}", procedure="own.command", args={"argv": ["sleep", str(HELD_S)]})
        connection.send("run", id=f"b#{number}", procedure="own.noop", args={}, after=f"a#{number}", timeout_s=60)
        assert connection.expect("finished", id=f"a#{number}")["duration_s"] >= HELD_S
        took_s = connection.expect("finished", id=f"b#{number}")["duration_s"]
        if took_s < HELD_S:
            break
    assert took_s < HELD_S
    begun(connection, "c#1", go)
    ahead(connection, "d#1", "c#1", argv=noted(note))
    connection.send("cancel", id="c#1", reason="enough")
    assert connection.expect("finished", id="c#1")["state"] == "cancelled"
    begun(connection, "e#1", go)
    ahead(connection, "f#1", "e#1", argv=noted(note))
    assert connection.stop() == []
    assert not note.exists()


def test_a_new_connection_hears_of_both_in_order(place: Place, tmp_path: Path) -> None:
    """What is held is no attempt that was begun; what began meanwhile is, and its predecessor's end comes first."""
    go, stay = tmp_path / "go", tmp_path / "stay"
    connection = place.connect()
    begun(connection, "a#1", go)
    ahead(connection, "b#1", "a#1", argv=["sh", "-c", f"while [ ! -e {stay} ]; do sleep 0.01; done"])
    connection.ok("own.noop")
    connection.close()
    again = place.attach()
    knows = again.hello(epoch=2, rx=None)["knows"]
    assert knows["a#1"] == "running"
    assert knows["b#1"] == "held"  # so that whoever asks believes what is said of it once it has begun
    go.touch()
    again.expect("finished", id="a#1")
    again.close()
    third = place.attach()
    knows = third.hello(epoch=3, rx=None)["knows"]
    assert (knows["a#1"], knows["b#1"]) == ("ok", "running")
    stay.touch()
    third.expect("finished", id="b#1")
    assert [m["id"] for m in third.received if m["t"] == "finished"] == ["own.noop-3#1", "a#1"]
    third.stop()
