"""Base58check, the hashes of addresses, and the prefixes of everything that Octez prints in that form."""

from __future__ import annotations

import hashlib

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

# Prefix bytes and payload length, by what the text stands for.
KINDS = {
    "rollup": (bytes.fromhex("067c75"), 20),
    "contract": (bytes.fromhex("025a79"), 20),
    "ed25519_pkh": (bytes.fromhex("06a19f"), 20),
    "secp256k1_pkh": (bytes.fromhex("06a1a1"), 20),
    "p256_pkh": (bytes.fromhex("06a1a4"), 20),
    "bls_pkh": (bytes.fromhex("06a1a6"), 20),
    "ml_dsa_pkh": (bytes.fromhex("06a1a9"), 20),
    "ed25519_pk": (bytes.fromhex("0d0f25d9"), 32),
    "ed25519_seed": (bytes.fromhex("0d0f3a07"), 32),
    "dal_commitment": (bytes.fromhex("0274b4"), 48),
    "block": (bytes.fromhex("0134"), 32),
    "operation": (bytes.fromhex("0574"), 32),
    "operations_root": (bytes.fromhex("1d9f6d"), 32),
    "context": (bytes.fromhex("4fc7"), 32),
    "protocol": (bytes.fromhex("02aa"), 32),
    "chain": (bytes.fromhex("575200"), 4),
    "peer": (bytes.fromhex("9967"), 16),
}

PKH_KINDS = ("ed25519_pkh", "secp256k1_pkh", "p256_pkh", "bls_pkh", "ml_dsa_pkh")


def _checksum(data: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()[:4]


def encode(kind: str, payload: bytes) -> str:
    """Write payload as Base58check text of that kind."""
    prefix, length = KINDS[kind]
    if len(payload) != length:
        raise ValueError(f"a {kind} holds {length} bytes, not {len(payload)}")
    data = prefix + payload
    data += _checksum(data)
    number = int.from_bytes(data, "big")
    digits = []
    while number:
        number, digit = divmod(number, 58)
        digits.append(ALPHABET[digit])
    leading_zeros = len(data) - len(data.lstrip(b"\0"))
    return "1" * leading_zeros + "".join(reversed(digits))


def _raw(text: str) -> bytes:
    number = 0
    for character in text:
        digit = ALPHABET.find(character)
        if digit < 0:
            raise ValueError(f"{character!r} is not a base58 digit")
        number = number * 58 + digit
    body = number.to_bytes((number.bit_length() + 7) // 8, "big")
    leading_zeros = len(text) - len(text.lstrip("1"))
    data = b"\0" * leading_zeros + body
    if len(data) < 5 or _checksum(data[:-4]) != data[-4:]:
        raise ValueError(f"wrong checksum in {text!r}")
    return data[:-4]


def decode(kind: str, text: str) -> bytes:
    """Read the payload of a Base58check text of that kind. Raises ValueError on anything else."""
    prefix, length = KINDS[kind]
    data = _raw(text)
    if not data.startswith(prefix) or len(data) != len(prefix) + length:
        raise ValueError(f"{text!r} is not a {kind}")
    return data[len(prefix) :]


def is_valid(kind: str, text: str) -> bool:
    """Tell whether the text is a well-formed name of that kind."""
    try:
        decode(kind, text)
    except ValueError:
        return False
    return True


def is_pkh(text: str) -> bool:
    """Tell whether the text is the address of an implicit account (tz1 to tz5)."""
    return any(is_valid(kind, text) for kind in PKH_KINDS)


def digest(data: bytes, size: int = 32) -> bytes:
    """Hash with Blake2b, as all of Octez does."""
    return hashlib.blake2b(data, digest_size=size).digest()


def pkh_of(public_key: str) -> str:
    """Give the tz1 address of an edpk public key."""
    return encode("ed25519_pkh", digest(decode("ed25519_pk", public_key), 20))
