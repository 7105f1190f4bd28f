"""From a name and its arguments to the program that is meant, and from whatever it raises to an exit code."""

from __future__ import annotations

import importlib
import sys

from . import arguments, events, identity, lifecycle, releases

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List

UNIX_FAMILIES = ("octez-node", "octez-dal-node")
INSTALLER_USAGE_EXIT = 2

# Each module has `main(words, who, behaviour)` or, for a program without variants, `main(words, release, behaviour)`.
MODULES = {
    "octez-node": "node",
    "octez-client": "client",
    "octez-dal-node": "dal_node",
    "octez-baker": "baker",
    "octez-experimental-agnostic-baker": "baker",
    "octez-smart-rollup-node": "rollup_node",
    "smart-rollup-installer": "installer",
}


def main(path: str, words: List[str], baked: Dict[str, str] | None = None) -> int:
    """Run the program that this path and what was baked in name; gives the exit code."""
    try:
        who = identity.find(path, baked)
    except ValueError as error:
        events.complain(f"stand-in: {error}")
        return lifecycle.EXIT_ERROR
    if who is None:
        from . import packing

        return packing.main(words)
    if who.name not in releases.program_names(who.release):
        events.complain(f"stand-in: Octez v{who.release.text} has no program {who.name}")
        return lifecycle.EXIT_ERROR
    if "--version" in words[:1] and who.family != "smart-rollup-installer":
        events.say(releases.version_line(who.release))
        return 0
    return _run(path, who, words)


def _usage_exit(family: str) -> int:
    if family in UNIX_FAMILIES:
        return arguments.UNIX_USAGE_EXIT
    return INSTALLER_USAGE_EXIT if family == "smart-rollup-installer" else arguments.SENTENCE_USAGE_EXIT


def _run(path: str, who: identity.Identity, words: List[str]) -> int:
    events.complain(f"{who.name}: this is octogram-tui's stand-in for Octez v{who.release.text}, not Octez")
    lifecycle.record(who.name, words)
    try:
        behaviour = lifecycle.read_behaviour(path, who.family)
        module = importlib.import_module(f".{MODULES[who.family]}", __package__)
        who_or_release = who if who.family in ("octez-baker", "octez-experimental-agnostic-baker") else who.release
        return int(module.main(words, who_or_release, behaviour))
    except arguments.UsageError as error:
        _explain_usage(who, str(error))
        return _usage_exit(who.family)
    except (lifecycle.Failure, events.SinkError) as error:
        events.complain(f"Error:\n  {error}")
        return getattr(error, "exit_code", lifecycle.EXIT_ERROR)
    except KeyboardInterrupt:
        return lifecycle.EXIT_SIGNAL
    except Exception:
        import traceback

        traceback.print_exc()
        return lifecycle.EXIT_UNCAUGHT
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def _explain_usage(who: identity.Identity, problem: str) -> None:
    if who.family in UNIX_FAMILIES:
        usage = f"Usage: {who.name} [COMMAND] …\nTry '{who.name} --help' for more information."
        events.complain(f"{who.name}: {problem}\n{usage}")
    else:
        events.complain(f"Error:\n  {problem}")
