"""What texts must look like that stand for something of a machine: paths, ports, names, words of a command.

Each form is a function from a text to what is wrong with it and what to write instead, or None. A field names its form
(`Field(form=...)`), and keys of agents call theirs; all hold for what a template gives, too. Pure text: whether a file
exists is another question.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from typing import NamedTuple

from octogram_agentd.network.endpoint import cut, without_brackets
from octogram_tui.cuts import beginning
from octogram_tui.scenario.hosts import host_problem

MAX_PATH_BYTES = 4000  # the system's limit is 4096, and an agent's home directory stands before most
MAX_PART_BYTES = 255
MAX_NAME_BYTES = 200
LAST_PORT = 65535
SHOWN = 60


class Flaw(NamedTuple):
    """What is wrong with a text, to follow its name, and what to write instead."""

    what: str
    instead: str


Form = Callable[[str], Flaw | None]


def shown(text: str) -> str:
    """Give a text as a message shows it: short, and on one line."""
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in beginning(text, SHOWN))


def word(text: str) -> Flaw | None:
    """Check a word of a command, or the value of an environment variable."""
    if "\0" in text:
        return Flaw("holds a NUL character, which nothing that a program is given can", "leave it out")
    return None


def command(text: str) -> Flaw | None:
    """Check a command that is split as a shell would."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        return Flaw(f"cannot be split into words: {str(error).lower()}", "close the quotation, or give a list")
    if not words or not words[0]:
        return Flaw("names no program", "write a program and its arguments: [ls, -l]")
    return word(text)


def words(given: list[str]) -> Flaw | None:
    """Check a command that is given as a list."""
    if not given or not given[0]:
        what = "names no program: its first word is empty" if given else "names no program: the list is empty"
        return Flaw(what, "write a program and its arguments: [ls, -l]")
    return next((flaw for each in given if (flaw := word(each)) is not None), None)


def path(text: str) -> Flaw | None:
    """Check a path on an agent's machine, from its home directory or absolute."""
    flaw = _any_path(text)
    if flaw is None and (text == "~" or text.startswith("~/")):
        home = text[2:] or "."
        return Flaw(
            f"begins with `~`, and `{shown(text)}` is not expanded",
            f"write `{shown(home)}` for what is in the agent's home directory of this run, or an absolute path",
        )
    return flaw


def local_path(text: str) -> Flaw | None:
    """Check a path on this machine."""
    flaw = _any_path(text)
    if flaw is None and (text == "~" or text.startswith("~/")):
        return Flaw(f"begins with `~`, and `{shown(text)}` is not expanded", "write the whole path")
    return flaw or (None if text else Flaw("is empty", "write the path of a file or a directory"))


def inner_path(text: str) -> Flaw | None:
    """Check a path that may not lead out of an agent's home directory."""
    flaw = path(text)
    if flaw is not None:
        return flaw
    if text.startswith("/"):
        return Flaw(
            f"must be relative to the agent's home directory, and `{shown(text)}` is absolute",
            f"write `{shown(text.lstrip('/') or '.')}`",
        )
    depth = 0
    for part in text.split("/"):
        depth += -1 if part == ".." else part not in ("", ".")
        if depth < 0:
            inside = "/".join(part for part in text.split("/") if part != "..") or "."
            return Flaw(
                f"leads out of the agent's home directory: `{shown(text)}`",
                f"write a path inside of it, such as `{shown(inside)}`",
            )
    return None


def inner_file(text: str) -> Flaw | None:
    """Check the path of a file that is to be written in an agent's home directory."""
    flaw = inner_path(text)
    if flaw is None and text.rpartition("/")[2] in ("", ".", ".."):
        return Flaw(f"names no file: `{shown(text)}`", "write the name of the file, too: `directory/file`")
    return flaw


def ends_in_line_break(text: str) -> Flaw | None:
    """Check a text that comes from what a program wrote, more often than not: nobody calls a file so."""
    if text.endswith(("\n", "\r")):
        return Flaw(f"ends in a line break: `{shown(text)}`", "take it off with `| trim`")
    return None


def _any_path(text: str) -> Flaw | None:
    if "\0" in text:
        return Flaw("holds a NUL character, which no path can", "leave it out")
    broken = ends_in_line_break(text)
    if broken is not None:
        return broken
    longest = max(text.split("/"), key=lambda part: len(part.encode("utf-8", "surrogateescape")))
    size = len(longest.encode("utf-8", "surrogateescape"))
    if size > MAX_PART_BYTES:
        return Flaw(
            f"has a name of {size} bytes (`{shown(longest)}`)", f"a file's name has at most {MAX_PART_BYTES} bytes"
        )
    size = len(text.encode("utf-8", "surrogateescape"))
    return Flaw(f"has {size} bytes", f"a path has at most {MAX_PATH_BYTES}") if size > MAX_PATH_BYTES else None


def file_name(text: str) -> Flaw | None:
    """Check a name that becomes that of a directory or a log."""
    if text in (".", "..") or "/" in text or not text.isprintable():
        return Flaw(f"cannot be the name of a directory: `{shown(text)}`", "use letters, digits, `.`, `-` and `_`")
    if text.startswith("-"):
        return Flaw(f"begins with `-`, as options do: `{shown(text)}`", "begin it with a letter or a digit")
    size = len(text.encode("utf-8", "surrogateescape"))
    return Flaw(f"has {size} bytes", f"a name has at most {MAX_NAME_BYTES}") if size > MAX_NAME_BYTES else None


def port(text: str) -> Flaw | None:
    """Check a port's number."""
    if not re.fullmatch(r"[0-9]+", text):
        return Flaw(f"is no port: `{shown(text)}`", f"write a number from 1 to {LAST_PORT}")
    if len(text) > 9 or not 0 < int(text) <= LAST_PORT:
        return Flaw(f"is no port: `{shown(text)}`", f"ports go from 1 to {LAST_PORT}")
    return None


def own_port(text: str) -> Flaw | None:
    """Check a port that is listened on: a number, or `fresh`."""
    flaw = None if text == "fresh" else port(text)
    return flaw and Flaw(flaw.what, f"{flaw.instead}, or `fresh` for one that is free")


def endpoint(text: str) -> Flaw | None:
    """Check HOST:PORT."""
    host, number = cut(text)
    if host == text or (":" in host and not host.startswith("[")):
        return Flaw(f"is no host and port: `{shown(text)}`", "write HOST:PORT, an IPv6 address as [::1]:PORT")
    flaw = host_problem(without_brackets(host))
    return Flaw(f"has no possible host: `{shown(host)}` {flaw[0]}", flaw[1]) if flaw else port(number)


def peer(text: str) -> Flaw | None:
    """Check HOST or HOST:PORT."""
    if ":" in text or not text:
        return endpoint(text)
    problem = host_problem(text)
    return problem and Flaw(f"has no possible host: `{shown(text)}` {problem[0]}", problem[1])


def port_or_endpoint(text: str) -> Flaw | None:
    """Check a port of this machine, or HOST:PORT."""
    if ":" in text:
        return endpoint(text)
    flaw = port(text)
    return flaw and Flaw(flaw.what, f"{flaw.instead}, or HOST:PORT for another machine's")


def url(text: str) -> Flaw | None:
    """Check the URL of something on the web."""
    scheme, separator, rest = text.partition("://")
    if not separator or scheme.lower() not in ("http", "https"):
        return Flaw(f"is no URL: `{shown(text)}`", "write http://HOST:PORT/PATH")
    if re.search(r"[\0-\x1f\x7f]", text):
        return Flaw(f"is no URL, since it holds a control character: `{shown(text)}`", "write it as %0A and its like")
    where = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]
    found = re.fullmatch(r"(?:\[([^\]]*)\]|([^:]*))(?::([0-9]*))?", where)
    if found is None:
        return Flaw(f"is no URL: `{shown(text)}`", "write http://HOST:PORT/PATH, an IPv6 address in brackets")
    host = found[1] if found[1] is not None else found[2]
    # Names of other scripts are translated on the way: their letters are as good as any.
    flaw = host_problem(re.sub(r"[^\x00-\x7f]", lambda sign: "x" if sign[0].isprintable() else sign[0], host))
    if flaw is not None:
        return Flaw(f"has no possible host: `{shown(where)}` {flaw[0]}", flaw[1])
    return port(found[3]) if found[3] else None


def variable_name(text: str) -> Flaw | None:
    """Check the name of an environment variable."""
    if not text or "=" in text or "\0" in text:
        return Flaw(f"cannot be the name of an environment variable: `{shown(text)}`", "use letters, digits and `_`")
    return None


def header_name(text: str) -> Flaw | None:
    """Check the name of a header."""
    if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", text):
        return Flaw(f"cannot be the name of a header: `{shown(text)}`", "use letters, digits and `-`")
    return None


def header(text: str) -> Flaw | None:
    """Check the value of a header."""
    if re.search(r"[\r\n\0]", text):
        return Flaw("has more than one line", "a header's value is one line")
    beyond = next((letter for letter in text if ord(letter) > 0xFF), None)
    if beyond is not None:
        return Flaw(
            f"holds `{shown(beyond)}`, which no header can carry: `{shown(text)}`",
            "write it with the filter `urlencode`, if its reader knows that, or send it in the body",
        )
    return None


FORMS: dict[str, Form] = {
    "word": word,
    "command": command,
    "path": path,
    "local_path": local_path,
    "inner_path": inner_path,
    "inner_file": inner_file,
    "file_name": file_name,
    "port": port,
    "own_port": own_port,
    "endpoint": endpoint,
    "peer": peer,
    "port_or_endpoint": port_or_endpoint,
    "url": url,
    "variables": variable_name,
    "headers": header_name,
    "header": header,
}
"""By their names in `Field(form=...)`; of a map it is the form of its keys, and `command` holds for a list as well."""


def flaw_of(form: str, text: str) -> Flaw | None:
    """Say what is wrong with a text of a form; texts whose ports are still to be put in are not judged."""
    if form not in FORMS or (form != "word" and "{{" in text):
        return None
    return FORMS[form](text)
