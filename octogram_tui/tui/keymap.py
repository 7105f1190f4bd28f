"""Every action of the console, in one table: keys, footer, help and palette are all made from it.

What asks something of the run names the verbs of runtime/verbs.py that it may become, and takes its words from there.
"""

from __future__ import annotations

from textual.binding import Binding, BindingType

from octogram_tui.tui.action import NO_KEY as NO_KEY
from octogram_tui.tui.action import Action as Action
from octogram_tui.tui.key_names import shown
from octogram_tui.tui.step_actions import STEP_ACTIONS
from octogram_tui.tui.time_keys import TIME_KEYS
from octogram_tui.tui.views import VIEWS

ACTIONS: tuple[Action, ...] = (
    Action(
        "pause or go",
        "space",
        "toggle_pause",
        "Run",
        "hold before the next job, or let the run go on; answers a stage that asks",
        "Go",
        1,
        verbs=("pause", "go", "confirm"),
    ),
    Action(
        "rerun",
        "r",
        "rerun",
        "Run",
        "run the row again: a stage, a job, or one job on one agent",
        "Rerun",
        4,
        verbs=("rerun",),
    ),
    Action(
        "rerun failed",
        "R",
        "rerun_failed",
        "Run",
        "run again what failed, all of it and nothing else, and go on",
        "Redo failed",
        5,
        verbs=("rerun_all",),
    ),
    Action(
        "rerun stale",
        "",
        "rerun_stale",
        "Run",
        "run again what is stale, stage after stage, and nothing else",
        verbs=("rerun_all",),
    ),
    Action(
        "rerun menu",
        "D",
        "rerun_menu",
        "Again",
        "choose what runs again: item, job, agent, stage, failed, stale, from here; as it read then, or as it is now",
        "Again",
        6,
        verbs=("rerun", "rerun_all"),
    ),
    Action(
        "rerun item",
        "",
        "rerun_of('item')",
        "Again",
        "run again the row under the cursor, and nothing else",
        verbs=("rerun",),
    ),
    Action("rerun job", "", "rerun_of('job')", "Again", "run the job again on all its agents", verbs=("rerun",)),
    Action(
        "rerun agent", "", "rerun_of('agent')", "Again", "run again all of the stage on this agent", verbs=("rerun",)
    ),
    Action("rerun stage", "", "rerun_of('stage')", "Again", "run all of the stage again", verbs=("rerun",)),
    Action(
        "rerun from here",
        "",
        "rerun_of('from here')",
        "Again",
        "run again this row and what came after it, on the same agents",
        verbs=("rerun",),
    ),
    Action(
        "rerun with inputs of then",
        "",
        "rerun_of('item', 'then')",
        "Again",
        "try the row again with the recorded inputs: the variables as its latest attempt read them",
        verbs=("rerun",),
    ),
    Action(
        "back to stage",
        "",
        "back_to_stage",
        "Again",
        "go back to the beginning of a stage: variables as they were, what came later stale; what agents did stays",
        verbs=("back",),
    ),
    Action("skip", "S", "skip", "Run", short="Skip", rank=5, verbs=("skip", "skip_all")),
    Action(
        "edit",
        "e",
        "edit",
        "Run",
        "edit what the row is about: a variable, or the arguments of a held or failed row for its next attempt",
        "Edit",
        9,
        verbs=("set_variable", "set_arguments"),
    ),
    Action(
        "edit variable",
        "",
        "edit_variable",
        "Data",
        "set a variable of the run; there, ctrl+s writes it into the scenario's file too",
        verbs=("set_variable", "foresee_set"),
    ),
    Action(
        "unset variable",
        "",
        "unset_variable",
        "Data",
        "take a variable of the run away",
        verbs=("set_variable",),
    ),
    Action(
        "edit arguments",
        "",
        "edit_arguments",
        "Data",
        "give a held or failed row other arguments for its next attempt; there, ctrl+s writes them into the file too",
        verbs=("set_arguments", "arguments"),
    ),
    Action(
        "keep",
        "F",
        "keep",
        "Data",
        "write into the scenario's file what was given by hand and is not there yet: arguments that worked, variables",
        "Keep",
        19,
    ),
    Action(
        "changed variables",
        "",
        "changed_variables",
        "Data",
        "what variables were at the start, a hold or a stage, and are now",
    ),
    Action(
        "evaluate",
        "equals_sign",
        "evaluate",
        "Data",
        "give the value of an expression as the row sees it; enter again adds it to the watches",
        verbs=("evaluate",),
    ),
    Action("add watch", "", "evaluate", "Data", "watch an expression: its value at each hold, beside the variables"),
    Action(
        "remove watch", "d,delete", "remove_watch", "Data", "take the watch under the cursor away", where="variables"
    ),
    Action("arguments", "", "show_arguments", "Data", "the row's rendered arguments beside their templates"),
    Action(
        "edit scenario",
        "E",
        "edit_scenario",
        "Run",
        "open the scenario in $EDITOR at the row's line, after a refused edit at the error's; saving reloads it",
        "Editor",
        13,
    ),
    Action("reload now", "", "reload_now", "File", verbs=("reload",)),
    Action(
        "take edit",
        "I",
        "take_edit",
        "File",
        "say what the edit that waits makes stale, new and gone, and take it in",
        "Take edit",
        3,
        verbs=("reload", "reload_mode"),
    ),
    Action(
        "what an edit changes",
        "",
        "foresee_file",
        "File",
        "what the file as it stands would make stale, new and gone; the run takes nothing of it",
        verbs=("foresee_file",),
    ),
    Action("last edit", "", "show_reload", "File", "what the last edit of the scenario changed, or why it was refused"),
    Action("check scenario", "", "check_scenario", "File", verbs=("check",)),
    Action(
        "revert scenario",
        "",
        "revert_scenario",
        "File",
        "put the text that the run goes by back into the file; what it was is kept beside it",
        verbs=("reload",),
    ),
    Action("save variables", "", "save_variables", "File", "write the variables to a file that `--variables` reads"),
    Action(
        "stop",
        "ctrl+c",
        "interrupt",
        "Run",
        "copy the selected text; without one, ask whether to stop",
        verbs=("stop",),
    ),
    Action("shell", "x", "shell", "Run", "a shell on the row's agent, where its command runs", verbs=("whereabouts",)),
    Action("ask", "", "ask_verb", "Run", "type any verb with its arguments, as at the prompt"),
    Action("skip the lesson", "L", "skip_lesson", "Run", "in the demo: be taught no further"),
    Action("take control", "", "take_control", "Run", verbs=("take_control",)),
    Action("only watch", "", "only_watch", "Run", verbs=("watch",)),
    Action("leave", "q", "leave", "Run", "detach (the run goes on) or stop the run", "Leave", 7),
    Action(
        "suspend", "ctrl+z", "app.suspend_process", "Run", "go back to the shell; `fg` comes back, and the run goes on"
    ),
    *STEP_ACTIONS,
    *(Action(view.name, view.key, f"view('{view.name}')", "Look", view.help) for view in VIEWS if view.key),
    Action("next pane", "tab", "next_pane(1)", "Look", "move to the next pane", "Pane", 12),
    Action("previous pane", "shift+tab", "next_pane(-1)", "Look", "move to the pane before"),
    Action("open", "enter", "open", "Look", "unfold the row, or look into it: arguments, result, error", "Open", 10),
    Action("back", "escape", "back", "Look", "close, clear a filter or a search, follow the run again"),
    *(Action(name, key, call, "Time", says, short) for name, key, call, says, short in TIME_KEYS),
    Action(
        "explain",
        "X",
        "explain",
        "Look",
        "why a row is as it is: what it was given and what that came of, why it ran, is held, stale or waits",
    ),
    Action(
        "compare",
        "C",
        "compare",
        "Look",
        "an attempt beside where it went well, the first difference first; again for the next to compare with",
    ),
    Action(
        "first failure",
        "exclamation_mark",
        "first_failure",
        "Look",
        "go to what failed: another cause each time, at the end those that were repaired",
        "Failure",
        3,
    ),
    Action("failed only", "f", "failed_only", "Look", "show only the way to what failed", "Failed", 11),
    Action(
        "filter",
        "ampersand",
        "filter",
        "Look",
        "show only what a filter takes: words, agent: job: state: and more",
        "Filter",
        15,
    ),
    Action("find", "slash", "find", "Look", "find a row, or a text in the log", "Find", 8),
    Action("maximise", "z", "zoom", "Look", "give the pane the whole screen, and back", "Zoom", 14),
    Action("copy", "y", "copy", "Look", "copy the selected text, else the row"),
    Action("copy all", "Y", "copy_all", "Look", "copy the whole log that is shown"),
    Action("write log", "w", "write_log", "Look", "write the log that is shown to a file"),
    Action("page log", "v", "page_log", "Look", "read the log that is shown in $PAGER"),
    Action("pin log", "p", "pin_log", "Look", "keep the log that is shown while others are chosen, or let go of it"),
    Action("next log", "greater_than_sign", "next_log(1)", "Look", "the next of the pinned logs"),
    Action("previous log", "less_than_sign", "next_log(-1)", "Look", "the pinned log before, or the one that follows"),
    Action("service log", "", "service_log", "Look", "the end of what a service of the agent wrote", verbs=("log",)),
    Action("screenshot", "", "screenshot", "Look", "write a picture of the screen to a file"),
    Action("about", "", "about", "Session", "the run, its directory and process, its consoles, and how to attach"),
    Action("calls", "", "toggle_calls", "Session", "call no more when somebody is needed, or again; this console only"),
    Action("doctor", "", "doctor", "Session", "look at the machines of the scenario"),
    Action("edit keys", "", "app.edit_keys", "Session", "change your own keys in a file; they count once it is closed"),
    Action("replay", "", "replay_run", "Session", "look at this run again, now that it is over"),
    Action("delete run", "d", "delete_run", "Runs", "delete the run under the cursor, after a question", where="runs"),
    Action("help", "question_mark,f1", "help", "Look", "keys and signs", "Help", 6),
    Action("palette", "colon,ctrl+p", "command_palette", "Look", "every verb, by name"),
    Action("down", "j,down", "move(1)", "Move", "one row down", where="list"),
    Action("up", "k,up", "move(-1)", "Move", "one row up", where="list"),
    Action("page down", "pagedown,ctrl+f", "page(1)", "Move", "one page down", where="list"),
    Action("page up", "pageup,ctrl+b", "page(-1)", "Move", "one page up", where="list"),
    Action("top", "g,home", "edge(-1)", "Move", "the first row", where="list"),
    Action("end", "G,end", "edge(1)", "Move", "the last row; in the log, follow again", where="list"),
    Action(
        "fold",
        "h,left",
        "sideways(-1)",
        "Move",
        "fold the row, or go to what holds it; left in the matrix and in long lines",
        where="list",
    ),
    Action(
        "unfold",
        "l,right",
        "sideways(1)",
        "Move",
        "unfold the row; right in matrix and lines",
        where="list",
    ),
    Action("sort agents", "o", "sort", "Move", "sort the agents by what comes next: name, state ...", where="agents"),
    Action("next match", "n", "next_match(1)", "Log", "the next place that was searched for", "Next", 1, where="log"),
    Action("previous match", "N", "next_match(-1)", "Log", "the place before", "Prev", 2, where="log"),
    Action(
        "timestamps",
        "t",
        "timestamps",
        "Log",
        "show when each line came, in two ways",
        "Times",
        3,
        where="log",
    ),
    Action("wrap", "W", "wrap", "Log", "wrap long lines", "Wrap", 4, where="log"),
    Action(
        "more of the log",
        "m",
        "more_of_log",
        "Log",
        "where lines were left out: read the end of the log as its agent has it",
        where="log",
        verbs=("log",),
    ),
)
"""Order is that of the help."""


def key_names(action: Action) -> list[str]:
    """Write the keys that an action has by default, as people read them; those of now are the brush's `keys`."""
    return [shown(key) for key in action.default_keys]


def bindings(where: str = "") -> list[BindingType]:
    """Make the bindings of a pane, of every pane (`list`), or (empty) those that hold everywhere."""
    return [
        Binding(action.keys or NO_KEY, action.call, action.says, show=False, id=action.binding_id)
        for action in ACTIONS
        if action.where == where
    ]
