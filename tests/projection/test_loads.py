"""How busy the agents' machines are."""

from octogram_tui.engine import events as ev
from octogram_tui.projection.loads import KEPT_VALUES, Loads


def test_the_last_values_are_kept_and_what_a_machine_does_not_tell_is_no_value() -> None:
    loads = Loads()
    for number in range(100):
        loads.apply(ev.AgentLoad(agent="a", cpu=number / 100, memory=0.5, processes=number))
    loads.apply(ev.AgentLoad(agent="b", processes=1))
    loads.apply(ev.AgentReady(agent="c"))
    load = loads.by_agent["a"]
    assert (len(load.cpu), load.cpu[-1], load.memory, load.processes) == (KEPT_VALUES, 0.99, 0.5, 99)
    assert (list(loads.by_agent["b"].cpu), loads.by_agent["b"].memory) == ([], -1.0)
    assert set(loads.by_agent) == {"a", "b"}
