"""What other tools call the keys of a scenario, so that whoever comes from there is told what is written here."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

_NAMES: Mapping[str, Mapping[str, str]] = {
    "a scenario": {
        **dict.fromkeys(("hosts", "inventory", "machines", "nodes", "servers"), "agents"),
        **dict.fromkeys(("variables", "parameters"), "vars"),
        **dict.fromkeys(("jobs", "tasks", "steps", "plays", "pre_tasks"), "stages"),
    },
    "a stage": {
        **dict.fromkeys(("tasks", "steps", "commands"), "jobs"),
        **dict.fromkeys(("hosts", "agents", "nodes", "runs_on"), "with_agents"),
        "labels": "with_labels",
        "if": "when",
        "concurrency": "max_concurrency",
    },
    "a job": {
        **dict.fromkeys(("run", "script", "bash", "sh", "raw", "shell"), "builtins.shell"),
        **dict.fromkeys(("cmd", "exec"), "builtins.command"),
        **dict.fromkeys(("pause", "wait"), "builtins.sleep"),
        **dict.fromkeys(("uri", "get_url"), "builtins.http"),
        **dict.fromkeys(("template", "lineinfile"), "builtins.write_file"),
        **dict.fromkeys(("loop", "foreach", "for_each", "with_list", "with_sequence", "matrix"), "with_items"),
        **dict.fromkeys(("if", "only_if"), "when"),
        **dict.fromkeys(("set_fact", "set", "outputs"), "vars_updates"),
        **dict.fromkeys(("retry", "attempts"), "retries"),
    },
    "an agent": {
        **dict.fromkeys(("host", "hostname", "ip", "ansible_host"), "address"),
        **dict.fromkeys(("username", "login", "remote_user", "ansible_user"), "user"),
        **dict.fromkeys(("key", "ssh_key", "private_key", "identity_file", "ansible_ssh_private_key_file"), "identity"),
        **dict.fromkeys(("connection", "ansible_connection"), "transport"),
        **dict.fromkeys(("interpreter", "ansible_python_interpreter"), "python"),
        **dict.fromkeys(("tags", "groups"), "labels"),
        "ansible_port": "port",
    },
}

_WORDS: Mapping[str, str] = {
    **dict.fromkeys(("ignore", "skip", "tolerate"), "continue"),
    **dict.fromkeys(("stop", "fail", "exit"), "abort"),
    "parallel": "concurrent",
    **dict.fromkeys(("serial", "series", "linear"), "sequential"),
    **dict.fromkeys(("docker", "podman", "kubectl", "kubernetes", "container"), "command"),
}

_ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("cmd", "command", "run", "_raw_params"), ("script", "argv")),
    **dict.fromkeys(("chdir", "workdir", "working_directory", "dir"), ("cwd",)),
    "environment": ("env",),
    **dict.fromkeys(("src", "source"), ("local_path", "remote_path")),
    **dict.fromkeys(("dest", "destination", "dst"), ("remote_path", "path", "local_path")),
    "msg": ("message",),
    "status_code": ("expect",),
}

_FAILURES = "`on_failure: continue` goes on after a failure; `expect` lists the exit statuses that are none"
_WHERE = "the `with_agents` of its stage say where a job runs, and another place is another stage"
_ORDER = "stages run one after the other, in the order of the file"
_FILE = "a scenario is one file; only `agents: {from: FILE}`, `procedures` and --variables bring something of others"
_USER = "a job runs as the user of its agent: write `sudo` in the command, or log in as another `user`"
_SEVERAL = "a job does one thing: several are several jobs, one after the other"
_ENV = "`env` is an argument of what starts a process, and a key of an agent"

_INSTEAD: Mapping[str, Mapping[str, str]] = {
    "a scenario": {
        "env": _ENV,
        "handlers": "a later job with a `when` does it",
        **dict.fromkeys(("include", "import_playbook", "roles"), _FILE),
        "on": "nothing starts a scenario by itself: `octogram-tui FILE` does",
    },
    "a stage": {
        "env": _ENV,
        **dict.fromkeys(("needs", "depends_on"), _ORDER),
        **dict.fromkeys(("serial", "parallel", "forks"), "`run_agents` and `max_concurrency` say how many at a time"),
        **dict.fromkeys(("strategy", "matrix"), "`with_items` of a job runs it for each; `product:` combines lists"),
        **dict.fromkeys(("include", "import_tasks", "roles"), _FILE),
        **dict.fromkeys(("ignore_errors", "continue_on_error", "allow_failure"), _FAILURES),
        **dict.fromkeys(("become", "sudo"), _USER),
    },
    "a job": {
        **dict.fromkeys(("ignore_errors", "continue_on_error", "allow_failure"), _FAILURES),
        "failed_when": "`until` is a condition over `res` that has to hold; " + _FAILURES,
        "changed_when": "nothing is told as changed here: leave it out",
        **dict.fromkeys(("delegate_to", "run_once", "hosts", "agents", "runs_on"), _WHERE),
        **dict.fromkeys(("needs", "depends_on"), "jobs run one after the other, in the order of the file"),
        **dict.fromkeys(("become", "become_user", "sudo"), _USER),
        **dict.fromkeys(("notify", "listen"), "a later job with a `when` does it"),
        **dict.fromkeys(("block", "steps", "tasks", "commands"), _SEVERAL),
        **dict.fromkeys(("debug", "echo", "print"), "`builtins.shell: echo ...` prints"),
        **dict.fromkeys(("async", "poll", "service", "systemd"), "`builtins.start_process` starts what goes on"),
        "uses": "there are no actions: `builtins.shell` runs a command",
        **dict.fromkeys(("include_tasks", "import_tasks", "include_role"), _FILE),
    },
    "an agent": {
        **dict.fromkeys(("container", "image", "pod"), "`transport: command` with a `command` leads into a container"),
        **dict.fromkeys(("password", "ansible_password"), "machines are logged in to by keys: `identity`"),
    },
}


def key_meant(what: str, key: str) -> str:
    """Give the key that is meant by one of another tool; empty when none is. what: as in `a job`."""
    return _NAMES.get(what, {}).get(_plain(key), "")


def instead_of(what: str, key: str) -> str:
    """Say what is done here where another tool has a key and we have none; empty when that is not known."""
    return _INSTEAD.get(what, {}).get(_plain(key), "")


def word_meant(word: str, choices: Collection[str]) -> str:
    """Give the one of some words that is meant by another tool's; empty when none is."""
    meant = _WORDS.get(_plain(word), "")
    return meant if meant in choices else ""


def argument_meant(name: str, known: Collection[str]) -> str:
    """Give the argument that is meant by one of another tool; empty when none is."""
    return next((ours for ours in _ARGUMENTS.get(_plain(name), ()) if ours in known), "")


def items_meant(text: str) -> str:
    """Say how a range or a list is written, where a text that is one item looks like one; empty when it does not."""
    if range_like := _RANGE_LIKE.fullmatch(text):
        first, last = (part for part in range_like.groups() if part is not None)
        return f"a range is written `{first}..{last}`"
    if text.startswith("range("):
        return f"a list is given by a template: `'{{{{ {text} | list }}}}'`; a range is written `1..5`"
    return f"a list is given by a template: `'{{{{ {text} }}}}'`" if _VARIABLE.fullmatch(text) else ""


_NUMBER = r"\s*(-?[0-9]{1,9})\s*"
_RANGE_LIKE = re.compile(rf"\{{?{_NUMBER}(?:\.{{2,3}}|-|to|…){_NUMBER}\}}?")
_VARIABLE = re.compile(r"vars(?:\.[A-Za-z_]\w*|\[.+\])+")


def _plain(word: str) -> str:
    return word.lower().replace("-", "_").rpartition(".")[2]
