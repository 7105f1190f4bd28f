"""What a JSON Schema says of what is asked of Slurm."""

from __future__ import annotations

from octogram_tui.scenario.schema_texts import END, OF_AGENTS, Schema, scalar

_WORD = (rf"(?=[\s\S]*\S)[^\x00-\x1f\x7f]{{1,1000}}{END}", "Write one line, or leave it out.")
_TEXTS = {
    "partition": _WORD,
    "account": _WORD,
    "constraint": _WORD,
    "memory": (rf"[1-9][0-9]{{0,15}}[KMGTkmgt]?{END}", "Write for instance `4G` or `500M`."),
    "gpus": (rf"(?:[A-Za-z0-9_.-]+:)?[1-9][0-9]{{0,6}}{END}", "Write for instance `4` or `a100:4`."),
    "login": OF_AGENTS["address"],
    "user": OF_AGENTS["user"],
    "identity": OF_AGENTS["identity"],
}
_OPTION = (rf"--[a-z0-9][a-z0-9-]*(?:=[\s\S]*)?{END}", "Write each as one word: `--qos=high`.")


def asked(schema: Schema) -> Schema:
    """Give what may be asked, from what the keys alone say. Which options are not for `options`, `check` tells."""
    members = schema["properties"]
    for key, (pattern, says) in _TEXTS.items():
        text = scalar("string", "number", "boolean", pattern=pattern, says=says)
        if key in ("login", "user"):
            text["minimum"] = 0  # as texts, numbers below it begin with `-`
        members[key].pop("type", None)
        members[key].update(text)
    option = scalar("string", pattern=_OPTION[0], says=_OPTION[1])
    members["options"].pop("type", None)
    members["options"]["anyOf"] = [option, {"type": "array", "items": option}]
    return {**schema, "dependentRequired": {key: ["login"] for key in ("user", "port", "identity")}}
