"""What one more job makes the daemon do, counted in calls: seconds say nothing on a machine that is shared.

A limit is a third above what is needed now. Who comes to need more for a good reason raises it, and says so.
"""

from __future__ import annotations

from agent_harness import Place

CALLS = 280  # of functions, Python's own included; somewhat fewer from 3.12 on
SYSTEM_CALLS = 30  # of those, what asks the system for something: without what is within a posix_spawn
TURNS = 2.5  # of the loop: for what is asked, and for the program's end, whose output is read then
JOBS = 40
COUNTING = """
import sys
from octogram_agentd.procedures.base import Field, Procedure

counted = {}

def count(frame, event, argument):
    if event == "call":
        code = frame.f_code
        name = code.co_filename.rpartition("octogram_agentd/")[2] + ":" + code.co_name
    elif event == "c_call":
        owner = getattr(argument, "__self__", None)
        module = getattr(argument, "__module__", None) or type(owner).__module__
        name = module + "!" + argument.__name__
    else:
        return
    counted[name] = counted.get(name, 0) + 1

class Count(Procedure):
    procedure = "own.count"
    is_on = Field("bool")
    async def run(self, context):
        sys.setprofile(count if self.is_on else None)
        return dict(counted)
"""


def test_one_more_job_makes_the_daemon_do_no_more_than_it_did(place: Place) -> None:
    connection = place.attach()
    connection.hello(procedures=[{"path": "count.py", "source": COUNTING}])
    for _ in range(3):  # what is loaded and made once
        connection.ok("builtins.command", argv=["/bin/true"])
    connection.ok("own.count", is_on=True)
    for number in range(JOBS):
        finished = connection.do("builtins.command", argv=["/bin/true"])
        assert finished["state"] == "ok", finished
        if number % 20 == 0:
            connection.send("ack", seq=finished["seq"])
    counted = {name: count / JOBS for name, count in connection.ok("own.count", is_on=False).items()}
    connection.stop()
    told = "\n".join(f"{count:6.2f} {name}" for name, count in sorted(counted.items(), key=lambda one: -one[1]))
    of_the_system = ("posix!", "select!", "_io!")
    assert counted["posix!posix_spawn"] == 1
    assert counted["kernel.py:_turn"] <= TURNS, told
    assert sum(count for name, count in counted.items() if name.startswith(of_the_system)) <= SYSTEM_CALLS, told
    assert sum(counted.values()) <= CALLS, told
