"""As much of Michelson as it takes to refuse what is plainly not Michelson: balance, sections, known types."""

from __future__ import annotations

TYPES = {
    "address",
    "bool",
    "bytes",
    "chain_id",
    "contract",
    "int",
    "key",
    "key_hash",
    "lambda",
    "list",
    "map",
    "big_map",
    "mutez",
    "nat",
    "never",
    "operation",
    "option",
    "or",
    "pair",
    "set",
    "signature",
    "string",
    "ticket",
    "timestamp",
    "unit",
    "sapling_state",
    "sapling_transaction",
    "chest",
    "chest_key",
    "bls12_381_fr",
    "bls12_381_g1",
    "bls12_381_g2",
}
CLOSING = {")": "(", "}": "{", "]": "["}


def _without_strings(text: str) -> str:
    kept = []
    inside = False
    escaped = False
    for character in text:
        if character == '"' and not escaped:
            inside = not inside
        elif not inside:
            kept.append(character)
        escaped = character == "\\" and not escaped
    if inside:
        kept.append("(")
    return "".join(kept)


def _balance_problem(text: str) -> str:
    waiting = []
    for character in _without_strings(text):
        if character in "({[":
            waiting.append(character)
        elif character in CLOSING and (not waiting or waiting.pop() != CLOSING[character]):
            return f"unexpected '{character}'"
    return "a string, parenthesis or brace is not closed" if waiting else ""


def value_problem(text: str) -> str:
    """Say why the text cannot be a Michelson value; '' when it might be one."""
    return _balance_problem(text) if text.strip() else "empty expression"


def type_problem(text: str) -> str:
    """Say why the text cannot be a Michelson type; '' when it might be one."""
    problem = value_problem(text)
    words = text.replace("(", " ").replace(")", " ").split()
    unknown = [word for word in words if word not in TYPES and word[0] not in "%:"]
    return problem or (f"unknown type {unknown[0]}" if unknown else "")


def script_problem(text: str) -> str:
    """Say why the text cannot be a contract; '' when it might be one."""
    problem = value_problem(text)
    words = _without_strings(text).replace("{", " ").replace("}", " ").replace(";", " ").split()
    missing = [section for section in ("parameter", "storage", "code") if section not in words]
    return problem or (f"missing section {missing[0]}" if missing else "")


def has_entrypoint(script: str, name: str) -> bool:
    """Tell whether a contract has that entrypoint: `default`, or an annotation in the script."""
    words = script.replace("(", " ").replace(")", " ").replace(";", " ").replace("{", " ").split()
    return name == "default" or f"%{name}" in words
