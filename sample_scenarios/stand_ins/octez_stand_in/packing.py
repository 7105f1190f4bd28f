"""Single-file copies of the stand-ins, to be put on a machine as if they were Octez programs."""

from __future__ import annotations

import io
import json
import marshal
import os
import zipfile

from . import arguments, events, releases

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List

USAGE = """usage:
  octez.py install DIR [--release v21] [--program NAME ...] [--python PATH]
      write executable single-file stand-ins into DIR; all the programs of the release, or those named.
      With --release the copies keep that release for good; without, they follow $OCTEZ_STAND_IN_RELEASE.
      --python names the interpreter of the copies, instead of the python3 that is found in the path.
  octez.py parameters PROTOCOL [--release v21] [--constants sandbox|mainnet]
      print protocol parameters, without accounts (alpha, u025, t024, ...): for a sandbox, or with mainnet's sizes.
  octez.py names [--release v21]
      print the names of the release's programs.
"""
# A fixed date, so that equal content makes equal files.
ZIP_DATE = (2024, 1, 1, 0, 0, 0)
MAIN = """import json, pkgutil, sys
from octez_stand_in.program import main
baked = json.loads(pkgutil.get_data("octez_stand_in", "baked.json"))
sys.exit(main(sys.argv[0], sys.argv[1:], baked))
"""
INSTALL_OPTIONS = [
    arguments.option("--release"),
    arguments.option("--program", repeats=True),
    arguments.option("--python"),
    arguments.option("--constants", arguments.one_of("sandbox", "mainnet")),
]


def main(words: List[str]) -> int:
    """Run one of the stand-ins' own commands; gives the exit code."""
    try:
        values, positionals = arguments.unix(words, INSTALL_OPTIONS, releases.parse("dev"))
        text = values.get("release") or os.environ.get("OCTEZ_STAND_IN_RELEASE") or releases.DEFAULT_TEXT
        release = releases.parse(text)
        if positionals[:1] == ["install"] and len(positionals) == 2:
            names = values.get("program") or releases.program_names(release)
            python = values.get("python", "/usr/bin/env python3")
            return _install(positionals[1], names, values.get("release"), python)
        if positionals[:1] == ["parameters"] and len(positionals) == 2:
            return _parameters(positionals[1], release, values.get("constants") == "mainnet")
        if positionals == ["names"]:
            events.say("\n".join(releases.program_names(release)))
            return 0
    except (arguments.UsageError, ValueError) as error:
        events.complain(f"octez.py: {error}")
    events.complain(USAGE)
    return 2


def _install(directory: str, names: List[str], release_text: str | None, python: str) -> int:
    release = releases.parse(release_text or releases.DEFAULT_TEXT)
    unknown = [name for name in names if release_text and name not in releases.program_names(release)]
    if unknown:
        raise ValueError(f"Octez v{release.text} has no program {unknown[0]}")
    os.makedirs(directory, exist_ok=True)
    parts = _parts()
    for name in names:
        path = os.path.join(directory, name)
        # A copy that is running keeps its old file.
        temporary = f"{path}.{os.getpid()}.tmp"
        with open(temporary, "wb") as stream:
            stream.write(_archive(parts, {"program": name, "release": release_text or ""}, python))
        os.chmod(temporary, 0o755)
        os.replace(temporary, path)
        events.say(path)
    return 0


def _parts() -> Dict[str, bytes]:
    """Read our own modules, from a checkout or from inside a copy, and compile them to spare every start the work."""
    loader = globals()["__loader__"]
    here = os.path.dirname(os.path.abspath(__file__))
    package = os.path.basename(here)
    parts: Dict[str, bytes] = {}
    if os.path.isdir(here):
        names = [name for name in os.listdir(here) if name.endswith(".py")]
    else:
        with zipfile.ZipFile(loader.archive) as own:
            inside = [name for name in own.namelist() if name.startswith(package) and name.endswith(".py")]
        names = [os.path.basename(name) for name in inside]
    for name in sorted(names):
        source = loader.get_data(os.path.join(here, name))
        parts[f"{package}/{name}"] = source
        parts[f"{package}/{name}c"] = _compiled(source, f"{package}/{name}")
    return parts


def _compiled(source: bytes, name: str) -> bytes:
    """Compile for this interpreter; others find the magic number foreign and compile the source themselves."""
    from importlib.util import MAGIC_NUMBER

    unchecked_hash = (1).to_bytes(4, "little") + bytes(8)
    code = compile(source, name, "exec", dont_inherit=True)
    return MAGIC_NUMBER + unchecked_hash + marshal.dumps(code)


def _archive(parts: Dict[str, bytes], baked: Dict[str, str], python: str) -> bytes:
    target = io.BytesIO()
    target.write(f"#!{python}\n".encode())
    everything = {**parts, "octez_stand_in/baked.json": json.dumps(baked).encode(), "__main__.py": MAIN.encode()}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(everything):
            archive.writestr(zipfile.ZipInfo(name, ZIP_DATE), everything[name])
    return target.getvalue()


def _parameters(name: str, release: releases.Release, is_mainnet: bool) -> int:
    from . import parameters

    for protocol in releases.embedded(release):
        if name in (protocol.name, protocol.hash, protocol.binary):
            events.say(json.dumps(parameters.base_file(protocol, release, is_mainnet), indent=2))
            return 0
    known = ", ".join(protocol.name for protocol in releases.embedded(release))
    raise ValueError(f"Octez v{release.text} has no protocol {name}; it has {known}")
