"""What this adapter can do, as it tells every client before anything else: nothing that it cannot."""

from __future__ import annotations

from typing import Any, NamedTuple

from octogram_tui.model.breakpoint import When
from octogram_tui.model.failure import TIMEOUT


class Filter(NamedTuple):
    """What a run may stop at besides rows. when, name: as of a breakpoint (model/breakpoint.py)."""

    id: str
    label: str
    description: str
    when: When
    name: str = ""
    is_default: bool = False


FILTERS: tuple[Filter, ...] = (
    Filter("failed", "Failed", "a job that failed, or an agent that was lost", "failed", is_default=True),
    Filter("unreachable", "Unreachable", "an agent that is given up", "lost"),
    Filter("timed_out", "Timed out", "a job that ran into its time limit", "failed", TIMEOUT),
    Filter("retried", "Retried", "an attempt that failed and is followed by another one", "retried"),
    Filter("skipped", "Skipped", "a row that was passed over by its `when`", "skipped"),
)
BY_ID = {each.id: each for each in FILTERS}

ALWAYS: dict[str, Any] = {
    "supportsConfigurationDoneRequest": True,
    "supportsFunctionBreakpoints": True,
    "supportsConditionalBreakpoints": True,
    "supportsHitConditionalBreakpoints": True,
    "supportsLogPoints": True,
    "supportsBreakpointLocationsRequest": True,
    "supportsDataBreakpoints": True,
    "supportsEvaluateForHovers": True,
    "supportsClipboardContext": True,
    "supportsSetVariable": True,
    "supportsSetExpression": True,
    "supportsRestartFrame": True,
    "supportsGotoTargetsRequest": True,
    "supportsCompletionsRequest": True,
    "completionTriggerCharacters": [".", "/", "@", " "],
    "supportsExceptionInfoRequest": True,
    "supportsExceptionFilterOptions": True,
    "supportsLoadedSourcesRequest": True,
    "supportsDelayedStackTraceLoading": True,
    "supportsSingleThreadExecutionRequests": True,
    "supportTerminateDebuggee": True,
    "supportSuspendDebuggee": True,
    "supportsTerminateRequest": True,
    "supportsRestartRequest": True,
    "supportsCancelRequest": True,
    "exceptionBreakpointFilters": [
        {
            "filter": each.id,
            "label": each.label,
            "description": each.description,
            "default": each.is_default,
            "supportsCondition": True,
            "conditionDescription": "an expression that has to hold, as `agent.name == 'n_1'`",
        }
        for each in FILTERS
    ],
}
"""What holds for every session; what only a replay can, is told once it is known to be one."""

OF_REPLAY: dict[str, Any] = {
    "supportsStepBack": True,
    "supportsSetVariable": False,
    "supportsSetExpression": False,
    "supportsRestartFrame": False,
    "supportsGotoTargetsRequest": False,
    "supportTerminateDebuggee": False,
    "supportSuspendDebuggee": False,
}
