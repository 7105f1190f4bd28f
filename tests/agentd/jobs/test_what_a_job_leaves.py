"""What one more job leaves at its agent, and what of it travels, counted: in memory, on disk, on the wire."""

from __future__ import annotations

from agent_harness import Connection, Place

from octogram_agentd.wire.lines import encode

MANY = 300
BLOCKS = 2.0  # of the memory of the daemon: 0.4; an answer that was kept would be three
WIRE_BYTES = 235  # that it sends: 195
DISK_BYTES = 37  # 31: the line that says it was begun
LOOKING = """
import gc, sys
from octogram_agentd.procedures.base import Procedure

class Look(Procedure):
    procedure = "own.look"
    async def run(self, context):
        gc.collect()
        return {"blocks": sys.getallocatedblocks()}
"""


def jobs(connection: Connection, count: int) -> int:
    """Run jobs, each acknowledged, and give the bytes that came for them."""
    came_bytes = 0
    for _ in range(count):
        finished = connection.do("builtins.command", argv=["/bin/true"])
        assert finished["state"] == "ok", finished
        connection.send("ack", seq=finished["seq"])
        came_bytes += len(encode(finished)) + sum(len(encode(message)) for message in connection.received)
        connection.received.clear()
    return came_bytes


def on_disk(place: Place) -> int:
    return sum(path.stat().st_size for path in place.root.rglob("*") if path.is_file())


def test_one_more_job_leaves_no_more_than_its_name(place: Place) -> None:
    connection = place.attach()
    connection.hello(procedures=[{"path": "look.py", "source": LOOKING}])
    jobs(connection, 200)  # what is kept of the latest answers has its bound by then
    before, disk_bytes = connection.ok("own.look")["blocks"], on_disk(place)
    came_bytes = jobs(connection, MANY)
    after = connection.ok("own.look")["blocks"]
    left = {
        "blocks": ((after - before) / MANY, BLOCKS),
        "bytes on disk": ((on_disk(place) - disk_bytes) / MANY, DISK_BYTES),
        "bytes that came": (came_bytes / MANY, WIRE_BYTES),
    }
    connection.stop()
    assert not {name: each for name, each in left.items() if each[0] > each[1]}, left
