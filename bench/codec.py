#!/usr/bin/env python3
"""What an event costs as a JSON line, a wire report as a stimulus, and a class at start; msgspec beside it.

msgspec is beside it where it is installed (`pip install msgspec`), and left out elsewhere.

python bench/codec.py [ROUNDS]
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import MISSING, fields
from functools import partial
from typing import Any

try:
    import msgspec
except ImportError:
    msgspec = None  # type: ignore[assignment]

from octogram_agentd.wire.lines import decode as read_line
from octogram_tui.engine import events as ev
from octogram_tui.journal import codec
from octogram_tui.model.ids import InstanceId
from octogram_tui.runtime.reading import read_report

JOB = InstanceId("measure", "send transfers", "node_12", "3")
EVENTS: list[ev.Event] = [
    ev.JobStarted(
        seq=41_001, at_s=123.456, instance=JOB, item=3, arguments={"argv": ["octez-client", "transfer", "3"]}
    ),
    ev.JobOutput(
        seq=41_002,
        at_s=123.9,
        agent=JOB.agent,
        instance=JOB,
        item=3,
        lines=[f"operation {n} was included" for n in range(5)],
    ),
    ev.VariableChanged(seq=41_003, at_s=124.0, name="throughput", value={"tps": 12.75, "ok": True}),
    ev.JobFinished(
        seq=41_004, at_s=124.2, instance=JOB, item=3, duration_s=0.75, result={"exit_code": 0, "stdout": "ok"}
    ),
]
REPORTS = [
    {"t": "finished", "id": "measure/send@a[3]#1", "state": "ok", "result": {"exit_code": 0}, "duration_s": 0.5},
    {"t": "output", "id": "measure/send@a[3]#1", "lines": [f"operation {n} was included" for n in range(5)]},
    {"t": "service", "kind": "node", "name": "n", "ports": {"rpc": 8732, "metrics": 9932}, "state": "up"},
]
LOOPS = 2_000

Contenders = dict[str, Callable[[], object]]


def compare(title: str, contenders: Contenders, rounds: int, per: int, unit_s: float = 1e-6, unit: str = "µs") -> None:
    """Time contenders in turns; `per`: how many things one call does. Ratios are to the first, round by round."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for run in contenders.values():
        run()
    for _ in range(rounds):
        for name, run in contenders.items():
            started_s = time.perf_counter()
            run()
            times[name].append((time.perf_counter() - started_s) / per / unit_s)
    first = next(iter(times.values()))
    print(f"\n{title} ({rounds} rounds)\n")
    print(f"| contender | min {unit} | median | max | ratio min | median | max |")
    print("|---|---|---|---|---|---|---|")
    for name, found in times.items():
        ratios = [mine / base for mine, base in zip(found, first, strict=True)]
        shown = [f(values) for values in (found, ratios) for f in (min, statistics.median, max)]
        print(f"| {name} | " + " | ".join(f"{value:.2f}" for value in shown) + " |")


def over(things: Sequence[Any], act: Callable[[Any], object]) -> Callable[[], object]:
    """Do something with every thing, many times."""

    def run() -> None:
        for _ in range(LOOPS):
            for thing in things:
                act(thing)

    return run


def structs() -> tuple[Any, Any, list[Any]]:
    """Give msgspec's best: a Struct for every type of event, told apart by a tag, defaults left out."""
    made = []
    for cls in ev.EVENT_TYPES.values():
        described: list[Any] = []
        for f in fields(cls):
            if f.default is not MISSING:
                described.append((f.name, Any if f.type == "Any" else type(f.default), f.default))
            elif f.default_factory is not MISSING:
                described.append((f.name, type(f.default_factory()), msgspec.field(default_factory=f.default_factory)))
            else:
                described.append((f.name, Any))
        described = [(name, float if name.endswith("_s") else kind, *rest) for name, kind, *rest in described]
        made.append(
            msgspec.defstruct(cls.__name__, described, kw_only=True, tag=cls.TYPE, tag_field="type", omit_defaults=True)
        )
    union = made[0]
    for cls in made[1:]:
        union |= cls
    by_name = {cls.__name__: cls for cls in made}
    same = [
        by_name[type(event).__name__](**{f.name: getattr(event, f.name) for f in fields(event)}) for event in EVENTS
    ]
    return msgspec.json.Encoder(enc_hook=str), msgspec.json.Decoder(union), same


def with_the_line_encoder() -> Callable[[ev.Event], bytes]:
    """Give the codec's dictionary, written by msgspec where it writes the same bytes: not what is outside of ASCII.

    It also writes `null` for .nan and .inf without a word, which this contender does not pay for.
    """
    encoder = msgspec.json.Encoder(enc_hook=str)

    def encode(event: ev.Event) -> bytes:
        record = codec.to_dict(event)
        data = encoder.encode(record)
        return data + b"\n" if data.isascii() else codec.dump(record)

    return encode


START = {
    "nothing": "",
    "import dataclasses": "import dataclasses",
    "import msgspec": "import msgspec",
    "import octogram_tui.journal.codec": "import octogram_tui.journal.codec",
    "import octogram_tui.journal.codec, msgspec": "import octogram_tui.journal.codec, msgspec",
    "60 x dataclass(slots, kw_only)": (
        "from dataclasses import dataclass, field\n"
        + "\n".join(
            f"@dataclass(slots=True, kw_only=True)\nclass C{n}:\n a: str\n b: str\n c: int = 1\n d: float = 0.0\n"
            f" e: str = ''\n f: dict[str, str] = field(default_factory=dict)"
            for n in range(60)
        )
    ),
    "60 x dataclass(slots, kw_only, eq=False, repr=False)": (
        "from dataclasses import dataclass, field\n"
        + "\n".join(
            f"@dataclass(slots=True, kw_only=True, eq=False, repr=False)\nclass C{n}:\n a: str\n b: str\n c: int = 1\n"
            f" d: float = 0.0\n e: str = ''\n f: dict[str, str] = field(default_factory=dict)"
            for n in range(60)
        )
    ),
    "60 x msgspec.Struct(kw_only)": (
        "import msgspec\n"
        + "\n".join(
            f"class C{n}(msgspec.Struct, kw_only=True):\n a: str\n b: str\n c: int = 1\n d: float = 0.0\n e: str = ''\n"
            f" f: dict[str, str] = msgspec.field(default_factory=dict)"
            for n in range(60)
        )
    ),
    "60 x NamedTuple": (
        "from typing import NamedTuple\n"
        + "\n".join(
            f"class C{n}(NamedTuple):\n a: str\n b: str\n c: int = 1\n d: float = 0.0\n e: str = ''\n"
            f" f: dict[str, str] = {{}}"
            for n in range(60)
        )
    ),
}


def bytes_each(make: Callable[[], object]) -> float:
    """Give how much one thing holds, its parts that are made with it included."""
    tracemalloc.start()
    kept = [make() for _ in range(10_000)]
    size = tracemalloc.get_traced_memory()[0] / len(kept)
    tracemalloc.stop()
    return size


def main() -> None:
    """Compare."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    per = LOOPS * len(EVENTS)
    lines = [codec.encode(event) for event in EVENTS]
    writers: Contenders = {
        "codec.encode": over(EVENTS, codec.encode),
        "its dictionary alone": over(EVENTS, codec.to_dict),
        "its dictionary, written": over(EVENTS, lambda event: codec.dump(codec.to_dict(event))),
    }
    readers: Contenders = {"codec.decode": over(lines, codec.decode), "json.loads alone": over(lines, json.loads)}
    wire = [json.dumps(report, separators=(",", ":")).encode() for report in REPORTS]
    takers: Contenders = {
        "read_report(wire.decode)": over(wire, lambda line: read_report("a", read_line(line))),
        "read_report alone": over(REPORTS, lambda report: read_report("a", report)),
    }
    kinds: dict[str, Any] = {"dataclass(slots)": EVENTS[-1]}
    if msgspec is not None:
        encoder, decoder, same = structs()
        alike = with_the_line_encoder()
        assert [alike(event) for event in EVENTS] == lines
        writers["its dictionary, msgspec writes"] = over(EVENTS, alike)
        writers["msgspec.Struct, other bytes"] = over(same, encoder.encode)
        readers["msgspec reads, codec.from_dict"] = over(lines, lambda x: codec.from_dict(msgspec.json.decode(x)))
        readers["msgspec.Struct"] = over(lines, decoder.decode)
        takers["read_report(msgspec.json.decode)"] = over(wire, lambda x: read_report("a", msgspec.json.decode(x)))
        kinds["msgspec.Struct"] = same[-1]
    compare("An event to its line", writers, rounds, per)
    compare("A line to its event", readers, rounds, per)
    compare("A line of the wire to a stimulus", takers, rounds, LOOPS * len(REPORTS))
    compare(
        "An interpreter that defines classes",
        {
            name: lambda text=text: subprocess.run([sys.executable, "-c", text], check=True)  # type: ignore[misc]
            for name, text in START.items()
            if msgspec is not None or "msgspec" not in text
        },
        rounds,
        1,
        1e-3,
        "ms",
    )
    print("\n| one job_finished | bytes |\n|---|---|")
    values = {f.name: getattr(EVENTS[-1], f.name) for f in fields(EVENTS[-1])}
    for name, one in kinds.items():
        print(f"| {name} | {bytes_each(partial(type(one), **values)):.0f} |")


if __name__ == "__main__":
    main()
