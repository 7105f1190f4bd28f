"""What a daemon says: lines on stdout, and JSON records where $TEZOS_EVENTS_CONFIG asks for them."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
import urllib.parse

from . import releases

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List

LEVELS = ("debug", "info", "notice", "warning", "error", "fatal")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class SinkError(Exception):
    """$TEZOS_EVENTS_CONFIG asks for something that cannot be had."""


class Sink:
    """One destination of event records, with the least level that each section must have."""

    def __init__(self, uri: str) -> None:
        """Open the destination; a FIFO blocks until somebody reads it. Raises SinkError."""
        parts = urllib.parse.urlsplit(uri)
        query = urllib.parse.parse_qs(parts.query)
        self._least = query.get("level-at-least", ["notice" if "section-prefix" not in query else "fatal"])[0]
        self._prefixes: Dict[str, str] = {}
        for rule in query.get("section-prefix", []):
            prefix, _, level = rule.rpartition(":")
            self._prefixes[prefix] = level
        for level in (self._least, *self._prefixes.values()):
            if level not in LEVELS and level != "none":
                raise SinkError(f"unknown level {level!r} in {uri}")
        self._descriptor = self._open(parts, uri)

    @staticmethod
    def _open(parts: urllib.parse.SplitResult, uri: str) -> int:
        if parts.scheme == "file-descriptor-stdout":
            return 1
        if parts.scheme == "file-descriptor-stderr":
            return 2
        if parts.scheme != "file-descriptor-path":
            raise SinkError(f"unknown event sink {uri!r}")
        try:
            return os.open(parts.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise SinkError(f"cannot open the event sink {parts.path}: {error.strerror}") from None

    def wants(self, section: str, level: str) -> bool:
        """Tell whether an event of that section and level belongs here; the longest prefix decides."""
        matching = [prefix for prefix in self._prefixes if section.startswith(prefix)]
        least = self._prefixes[max(matching, key=len)] if matching else self._least
        return least != "none" and LEVELS.index(level) >= LEVELS.index(least)

    def write(self, record: bytes) -> None:
        """Append one record; a reader that has gone is no reason to fail."""
        try:
            while record:
                record = record[os.write(self._descriptor, record) :]
        except OSError:
            pass


class Log:
    """The voice of one daemon."""

    def __init__(self, release: releases.Release, section: str) -> None:
        self._release = release
        self._section = section
        self._lock = threading.Lock()
        configured = os.environ.get("TEZOS_EVENTS_CONFIG", "").split()
        self._sinks: List[Sink] = [Sink(uri) for uri in configured]

    def notice(self, event: str, text: str, value: object = None) -> None:
        """State something that the operator sees by default."""
        self.emit("notice", event, text, value)

    def info(self, event: str, text: str, value: object = None) -> None:
        """State something that only the event sinks see."""
        self.emit("info", event, text, value)

    def error(self, event: str, text: str, value: object = None) -> None:
        """State what went wrong."""
        self.emit("error", event, text, value)

    def emit(self, level: str, event: str, text: str, value: object = None) -> None:
        """State an event at that level, on stdout and in the sinks that want it."""
        with self._lock:
            if LEVELS.index(level) >= LEVELS.index("notice"):
                say(self._line(level, text))
            wanting = [sink for sink in self._sinks if sink.wants(self._section, level)]
            if wanting:
                record = self._record(event, {} if value is None else value)
                for sink in wanting:
                    sink.write(record)

    def _line(self, level: str, text: str) -> str:
        now = time.time()
        local = time.localtime(now)
        clock = time.strftime("%H:%M:%S", local)
        stamp = f"{MONTHS[local.tm_mon - 1]} {local.tm_mday:02d} {clock}.{int(now % 1 * 1000):03d}"
        if self._release.level < 19:
            return f"{stamp} - {self._section}: {text}"
        return f"{stamp} {level.upper()} │ {text}"

    def _record(self, event: str, value: object) -> bytes:
        item = {
            "hostname": socket.gethostname(),
            "time_stamp": time.time(),
            "section": self._section.split("."),
            "event": {f"{event}.v0": value},
        }
        return json.dumps({"fd-sink-item.v0": item}, separators=(",", ":")).encode() + b"\n"


def say(line: str) -> None:
    """Write a line on stdout at once; a closed stdout is no reason to fail."""
    _write(1, line)


def complain(line: str) -> None:
    """Write a line on stderr at once."""
    _write(2, line)


def _write(descriptor: int, line: str) -> None:
    (sys.stdout if descriptor == 1 else sys.stderr).flush()
    data = line.encode("utf-8", "replace") + b"\n"
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    except OSError:
        pass
