"""Public keys from secret seeds, by the curve's own arithmetic (RFC 8032), so that keys made here are real ones.

Slow beside a C library (a few milliseconds a key), which is enough for wallets of a test network.
"""

from __future__ import annotations

import hashlib
import os

from . import base58

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Tuple

    Point = Tuple[int, int, int, int]

P = 2**255 - 19
D = -121665 * pow(121666, P - 2, P) % P
BASE_Y = 4 * pow(5, P - 2, P) % P
BASE_X = 15112221349535400772501151409588531511454012693041857206046113283949847762202


def _add(a: Point, b: Point) -> Point:
    left = (a[1] - a[0]) * (b[1] - b[0]) % P
    right = (a[1] + a[0]) * (b[1] + b[0]) % P
    t = 2 * a[3] * b[3] * D % P
    z = 2 * a[2] * b[2] % P
    e, f, g, h = right - left, z - t, z + t, right + left
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def _times_base(scalar: int) -> Point:
    result: Point = (0, 1, 1, 0)
    power: Point = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)
    while scalar:
        if scalar & 1:
            result = _add(result, power)
        power = _add(power, power)
        scalar >>= 1
    return result


def public_key(secret_key: str) -> str:
    """Give the edpk text of an edsk seed."""
    seed = base58.decode("ed25519_seed", secret_key)
    low = bytearray(hashlib.sha512(seed).digest()[:32])
    low[0] &= 248
    low[31] = (low[31] & 127) | 64
    x, y, z, _ = _times_base(int.from_bytes(low, "little"))
    inverse = pow(z, P - 2, P)
    x, y = x * inverse % P, y * inverse % P
    return base58.encode("ed25519_pk", (y | (x & 1) << 255).to_bytes(32, "little"))


def fresh_secret_key() -> str:
    """Make an edsk seed from the system's randomness."""
    return base58.encode("ed25519_seed", os.urandom(32))
