"""A secret to be planted, a scenario that tries hard to show it, and the search for it in what a run has written."""

from __future__ import annotations

import base64
import html
import json
import shlex
from pathlib import Path
from urllib.parse import quote, quote_plus

VALUE = "S3c'r\"et/+ \u00e9tok$en<7>"
KEY = "-----BEGIN KEY-----\nbase of the key, line one\nof the second line: x\n-----END KEY-----"

SCENARIO = """
agents: [{name: a, transport: local}]
secrets:
  token: {env: PLANTED}
  key: {file: planted.key}
vars: {greeting: hello there}
stages:
  - name: show
    jobs:
      - name: ways
        builtins.shell:
          env: {T: '{{ vars.token }}', K: '{{ vars.key }}'}
          script: |
            echo "as it is: $T"; echo "$K"
            printf %s "$T" | base64; printf 'a%s' "$T" | base64; printf 'ab%s' "$T" | base64
            printf %s "$T" | od -An -tx1 | tr -d ' \\n'; echo; python3 -c 'import os, json, urllib.parse, shlex
            t = os.environ["T"]
            print(json.dumps(t), urllib.parse.quote(t), urllib.parse.quote_plus(t), shlex.quote(t), repr(t))'
            printf '%s' "$T" | head -c 9; sleep 0.7; printf '%s' "$T" | tail -c +10; echo; echo "$T" >&2
        register: seen
      - name: 'an item'
        with_items: '{{ vars.token }}'
        builtins.command: echo {{ item | quote }}
        register: said_{{ item }}
      - name: derived
        builtins.command: 'true'
        vars_updates: {login: 'me:{{ vars.token }}', encoded: '{{ vars.key | tojson }}'}
  - name: fail
    jobs:
      - name: fail
        builtins.shell: {script: 'echo "$T" >&2; echo "no: $T"; exit 3', env: {T: '{{ vars.login }}'}}
      - name: assert
        builtins.assert: {that: "vars.token == 'x'", message: 'it is {{ vars.token }}'}
"""


def plant(directory: Path) -> dict[str, str]:
    """Write what is needed into a directory, and give what the environment has to have."""
    (directory / "planted.key").write_text(KEY + "\n")
    (directory / "planted.key").chmod(0o600)
    (directory / "planted.yml").write_text(SCENARIO)
    return {"PLANTED": VALUE}


def texts() -> list[str]:
    """Give every text that must be nowhere."""
    data = VALUE.encode()
    found = [
        VALUE,
        json.dumps(VALUE)[1:-1],
        json.dumps(VALUE, ensure_ascii=False)[1:-1],
        quote(VALUE),
        quote(VALUE, safe=""),
        quote_plus(VALUE),
        html.escape(VALUE),
        html.escape(VALUE, quote=False),
        shlex.quote(VALUE),
        repr(VALUE),
        data.hex(),
        VALUE[:9],
        VALUE[9:],
    ]
    found += [base64.b64encode(before + data).decode()[4:-5] for before in (b"", b"a", b"ab")]
    found += KEY.splitlines()[1:3]
    return found


def found_in(content: str | bytes) -> list[str]:
    """Give what of it stands in some output, also where its JSON has it."""
    data = content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape")
    return [text for text in texts() if text.encode() in data or json.dumps(text)[1:-1].encode() in data]


def found_below(directory: Path) -> dict[str, list[str]]:
    """Give the files that hold some of it, by name and content."""
    found = {}
    for path in sorted(directory.rglob("*")):
        inside = found_in(path.read_bytes()) if path.is_file() and not path.is_symlink() else []
        if inside or found_in(path.name):
            found[str(path.relative_to(directory))] = inside
    return found
