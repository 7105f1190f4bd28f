"""The actions that go about in the run's time, each with its keys, call, help and word in the footer, for keymap.py."""

from __future__ import annotations

TIME_KEYS: tuple[tuple[str, str, str, str, str], ...] = (
    ("event back", "comma", "event(-1)", "look at the run as it was one event before; nobody is stopped", "Back"),
    ("event forward", "full_stop", "event(1)", "one event on; after the latest one is at now again", "On"),
    ("stage back", "left_parenthesis", "stage_start(-1)", "to where the stage began, or the one before", "Stage"),
    ("stage forward", "right_parenthesis", "stage_start(1)", "to where the next stage began", ""),
    ("minute back", "minus", "minute(-1)", "one minute back", ""),
    ("minute forward", "plus", "minute(1)", "one minute on", ""),
    (
        "failure back",
        "K",
        "failure_moment(-1)",
        "to the failure or loss before, also one that was repaired",
        "Failure before",
    ),
    ("failure forward", "J", "failure_moment(1)", "to the failure or loss that came next", ""),
    ("act back", "O", "act(-1)", "to what the operator did before: a pause, a rerun, a change, an edit", ""),
    ("act forward", "U", "act(1)", "to what the operator did next", ""),
    ("start of the run", "0", "start", "to the first event", ""),
    ("now", "semicolon", "now", "back to now: the latest moment, and what comes", "Now"),
    ("go to moment", "T", "moment", "to an event's number, a time, a stage: typed", "Go to"),
    ("play", "asterisk", "play", "play on from here, or pause; in a replay space does so too", "Play"),
    ("speed", "9", "speed", "play faster: 1x, 2x, 10x, 100x, at full speed, and again", ""),
)
