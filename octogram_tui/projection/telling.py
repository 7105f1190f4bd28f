"""What an event says, in a few words: for who goes through a run event by event."""

from __future__ import annotations

from octogram_tui.engine import events as ev
from octogram_tui.projection.causes import cause_of


def told(event: ev.Event) -> str:
    """Say what happened."""
    match event:
        case ev.RunStarted():
            return "the run started"
        case ev.StageStarted():
            return f"stage {event.stage} began{' again' if event.rerun else ''}"
        case ev.StageFinished():
            return f"stage {event.stage} ended: {event.reason or event.state}"
        case ev.JobStarted():
            return f"{event.instance} began" + (f", attempt {event.attempt}, {event.why}" if event.attempt > 1 else "")
        case ev.JobFinished() if event.failure is not None:
            return f"{event.instance} failed: {cause_of(event.failure).text}"
        case ev.JobFinished():
            return f"{event.instance} ended: {event.reason or event.state}"
        case ev.JobHeld():
            return f"{event.instance} is held: {event.reason}"
        case ev.JobOutput():
            who = event.instance or f"{event.process} on {event.agent}"
            return f"{who} wrote {len(event.lines)} line{'s' * (len(event.lines) != 1)}"
        case ev.JobProgress():
            return f"{event.instance}: {event.text}"
        case ev.VariableChanged():
            return f"{event.name} was {'removed' if event.removed else 'set'} by {event.by or 'nobody'}"
        case ev.EntryRegistered():
            return f"{event.name} has an entry for {event.entry}, by {event.by}"
        case ev.BreakpointMet():
            return f"breakpoint {event.number} was met{f': {event.message}' if event.message else ''}"
        case ev.ServiceAnnounced():
            return f"{event.name} on {event.agent} is {event.state}"
        case ev.RunPaused():
            return f"the run paused: {event.reason}"
        case ev.RunFinished():
            return f"the run ended with exit code {event.exit_code}"
    return _plainly(event)


def _plainly(event: ev.Event) -> str:
    """Say the type, and whom it is about."""
    name = (event.TYPE or str(getattr(event, "name", ""))).replace("_", " ")
    about = getattr(event, "instance", None) or getattr(event, "agent", "") or getattr(event, "stage", "")
    message = getattr(event, "message", "")
    return f"{name}{f': {about}' if about else ''}{f': {message}' if message else ''}"
