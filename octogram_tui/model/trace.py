"""Where a run stands in a distributed trace (W3C Trace Context): what it was handed, and what it hands to its jobs.

The spans of a run have names, and their ids are made from these: a replay of the run, and whoever goes on with it,
come to the same ones.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from octogram_tui.dataclass import dataclass
from octogram_tui.model.ids import AttemptId, Execution
from octogram_tui.model.values import Value

LONGEST = 8192
"""Characters of `TRACESTATE` and `BAGGAGE`: the standards want that much carried on, and no more goes with each job."""
SAMPLED = 1
VARIABLES = ("TRACEPARENT", "TRACESTATE", "BAGGAGE")

_PARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


@dataclass(frozen=True, slots=True)
class Trace:
    """The trace that a run is part of.

    trace_id   32 hexadecimal digits
    parent_id  16 of them: the span that the run was begun in; empty when it begins the trace
    flags      1: somebody records it
    state      as `TRACESTATE` has it
    baggage    as `BAGGAGE` has it
    is_told    whether the run tells spans of its own; else its jobs get what it was handed
    """

    trace_id: str
    parent_id: str = ""
    flags: int = SAMPLED
    state: str = ""
    baggage: str = ""
    is_told: bool = False

    @classmethod
    def found(cls, environ: Mapping[str, str], run: str, *, is_told: bool) -> Trace | None:
        """Give the trace of the surroundings; else a new one where the run tells its spans, and none where not.

        What cannot be understood is left alone, as the standard wants it.
        """
        handed = _PARENT.fullmatch(environ.get("TRACEPARENT", "").strip())
        if handed is not None:
            version, trace_id, parent_id, flags, more = handed.groups()
            is_known = version != "ff" and not (version == "00" and more)
            if is_known and trace_id.strip("0") and parent_id.strip("0"):
                state, baggage = (_carried(environ.get(name, "")) for name in ("TRACESTATE", "BAGGAGE"))
                return cls(trace_id, parent_id, int(flags, 16) & 0xFF, state, baggage, is_told)
        if not is_told:
            return None
        return cls(_hash(run, 32), baggage=_carried(environ.get("BAGGAGE", "")), is_told=True)

    def environment(self, run: str, execution: Execution) -> dict[str, str]:
        """Give what the programs of an attempt get: it is their parent where its span is told."""
        span = self.parent_id
        if self.is_told and isinstance(execution, AttemptId):
            span = span_id(run, str(execution))
        elif self.is_told:
            span = span_id(run)
        parent = f"00-{self.trace_id}-{span}-{self.flags:02x}"
        given = zip(VARIABLES, (parent, self.state, self.baggage), strict=True)
        return {name: value for name, value in given if value}

    def public(self) -> dict[str, Value]:
        """Give what `run_started` tells of it. The baggage is nobody else's business."""
        return {"id": self.trace_id, "parent": self.parent_id, "flags": self.flags, "state": self.state}

    @classmethod
    def read(cls, value: object) -> Trace | None:
        """Read what `public` gave, of a run that tells its spans; None for anything else."""
        if not isinstance(value, dict):
            return None
        flags = value.get("flags")
        words = [word if isinstance(word := value.get(name), str) else "" for name in ("id", "parent", "state")]
        if not re.fullmatch("[0-9a-f]{32}", words[0]) or not re.fullmatch("(?:[0-9a-f]{16})?", words[1]):
            return None
        return cls(words[0], words[1], flags if isinstance(flags, int) else SAMPLED, words[2], is_told=True)


def span_id(run: str, name: str = "") -> str:
    """Give the id of a span of a run: the attempt of that name, or what else is named so; of the run itself without."""
    return _hash(f"{run}\0{name}", 16)


def _hash(text: str, digits: int) -> str:
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:digits]


def _carried(text: str) -> str:
    """Give what is carried on as it is, where it is printable ASCII and not too long: half of it is worth nothing."""
    return text if len(text) <= LONGEST and text.isascii() and text.isprintable() else ""
