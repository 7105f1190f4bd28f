"""The kinds of problems that `check` finds, for programs that sort by kind: each has an id that stays.

A problem is of the first kind whose expression is found in its message. What the reader of YAML says of a text that is
none is open-ended: an error of no other kind is `syntax`, and the tests hold every other message to a kind of its own.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from octogram_tui.errors import Problem


class Rule(NamedTuple):
    """One kind of problem. found_by: an expression for the messages of its problems."""

    id: str
    short: str
    help: str
    found_by: str


RULES = (
    Rule(
        "own-procedure",
        "A file of own procedures cannot be used.",
        "`procedures` names Python files beside the scenario. They are read, not run, so what they declare has to be"
        " written out; docs/writing-a-procedure.md tells how.",
        r"^\S+\.py(:\d+)?[: ]|^\S+\.py defines|is not a Python file",
    ),
    Rule(
        "secret",
        "A secret stands, or may be read, where it should not, or its source is not understood.",
        "Write under `secrets` where a value comes from: `token: {env: TOKEN}`. Values themselves stand nowhere.",
        r"\bsecret\b|will stand in the journal|^`(keyring|env|file)` takes (a service|one text)"
        r"|may have all of the agent's home",
    ),
    Rule(
        "unknown-key",
        "A key does not exist here.",
        "The hint lists the keys that do, and the one that is spelled nearly alike.",
        r"^unknown key",
    ),
    Rule(
        "missing-key",
        "A key that is required is missing, or is null.",
        "Write the key, or take out what needs it. A key that is left out has its default; null is none.",
        r"^`[^`]+` is missing|^`[^`]+` is null$|exactly one of|^a (stage|job|variable) needs a name"
        r"|is given (twice|already)",
    ),
    Rule(
        "procedure",
        "A job names no procedure, one that does not exist, or more than one.",
        "A job does one thing: beside its own keys it has the name of one procedure. docs/procedures.md lists them.",
        r"^there is no procedure|^this job does nothing|^a job does one thing",
    ),
    Rule(
        "uri",
        "What names a file or a service is no URL, and nothing that an agent owns.",
        "Write `self://NAME` for what the job's own agent has, `AGENT://NAME` for another's, or a URL.",
        r"neither a URL nor something|is no agent's name|names (nothing|no machine)|^`[^`]+`: it |^there is no agent"
        r"|`: there is no agent|is no URL|takes a URL",
    ),
    Rule(
        "expression",
        "An expression or a template is not understood, or gives what is not due here.",
        "Expressions are those of Jinja. A condition is true or false, and not any value that counts as such.",
        r"^`.*`: (unexpected|expected|there is (more|no (filter|test))|invalid|could not|Encountered|too|unknown)"
        r"|: nothing is set here"
        r"|a condition is (true|false)"
        r"|there is no filter|is not a regular expression|must be quoted: '\{\{|is no template|^an expression"
        r"|braces in (it|its text) stay",
    ),
    Rule(
        "name",
        "A variable, or another name of templates, is not known here.",
        "Variables come from `vars`, from files, from the command line, or from an earlier job. `res`, `item`, `re` and"
        " `agent` exist only where they mean something.",
        r"no variable `|no name `|the result of (a|this) job|this job has no result|known (in jobs )?only"
        r"|exists only once|this job uses `|`[^`]+` has no `|no template uses",
    ),
    Rule(
        "allocation",
        "What is asked of Slurm cannot be asked so.",
        "One allocation is asked for, by the keys of `slurm`; `options` has further long options of `sbatch`, each as"
        " one word. docs/slurm.md tells what is asked by default.",
        r"tasks are not enough for|^`time` is longer than|is no (amount of memory|number of GPUs)|options of sbatch"
        r"|is not for `options`|is for `login`|^`login` |asked of Slurm|Slurm places it"
        r"|^`(partition|account|constraint|options|login)`:? (is empty|holds|has \d+ characters|is no host)",
    ),
    Rule(
        "agent",
        "An agent cannot be reached, or cannot have this name.",
        "By SSH an agent needs an `address`; `transport: local` runs it here, `transport: command` needs a `command`.",
        r"^agent `|agent's name|^`(address|data_address|user|port|identity|python|env)\b|stands for more than"
        r"|^`\w+ exec\b|which .*, elsewhere, uses what it offers|does not exist on this machine|` is a directory",
    ),
    Rule(
        "choice-of-agents",
        "A stage chooses no agent, or agents take from each other.",
        "`with_agents` are expressions that are searched in names; `with_labels` are labels and their values.",
        r"matches no agent|chooses no agent|no agent has the label|there are no agents|\d+ agents (set|would)",
    ),
    Rule(
        "reading",
        "A value is read otherwise than it may have been meant.",
        "Put it in quotes to have a text, or write it as all readers of YAML understand it.",
        r"is read as|is one item, a text|to other readers of YAML|numbers here are whole|can be kept",
    ),
    Rule(
        "original",
        "Something means another thing than it did to the original, or has another name now.",
        "docs/language.md tells what has changed. Nothing of it has to be changed.",
        r"the original|is now called|our own daemon is sent|of the text as it is here|is for `pull` only",
    ),
    Rule(
        "place",
        "A path, a command, a port or a name cannot be one on the machine.",
        "Paths on an agent's machine are taken from its home directory of the run; `~` is not expanded there. Ports go"
        " from 1 to 65535. A command has a program.",
        r"^`[^`]+` (begins with|holds|leads out|names no|has a name|is no|is empty|ends in|must be relative)"
        r"|cannot be (split|the name)|has more than one line|has no possible host|^`[^`]+` has \d+ bytes$",
    ),
    Rule(
        "value",
        "A value is not what is taken here.",
        "The message tells what is taken, and docs/language.md and docs/procedures.md for every key.",
        r" must (be|match)|^`[^`]*`[^`]* takes |^an item |is not (an integer|JSON|a text)|is neither true nor false"
        r"|bytes; at most|is an empty list|is a map that says nothing|is not to stand|^a scenario is a map",
    ),
    Rule(
        "syntax",
        "The file is not there, or is not YAML or JSON that can be read.",
        "The place is where reading stopped: what is wrong is there or before it.",
        r"^(the file|this file|there is no such file|this is a directory)|neither YAML nor JSON"
        r"|^`[^`]+`: (there is no such file|this is a directory|these agents are told by)",
    ),
    Rule(
        "doubtful",
        "Something is probably not meant.",
        "It runs as it is. The hint tells what was probably meant.",
        r"there is more than one|is asked once only",
    ),
)


_IDS = [rule.id for rule in RULES]


def index_of(problem: Problem) -> int:
    """Tell of which kind a problem is: its index in RULES."""
    otherwise = _IDS.index("doubtful" if problem.is_warning else "syntax")
    found = (number for number, rule in enumerate(RULES) if re.search(rule.found_by, problem.message))
    return next(found, otherwise)
