"""Addresses to bytes: the check vectors, and what is no address."""

from __future__ import annotations

import pytest

from octogram_agentd.procedures.octez.base58 import ALPHABET, hex_address, is_public_key_hash, payload
from octogram_agentd.procedures.octez.wallets import DEFAULT_KEYS


@pytest.mark.parametrize(
    ("address", "digits"),
    [
        ("sr1RYurGZtN8KNSpkMcCt9CgWeUaNkzsAfXf", "d601f22256d2ad1faec0c64374e527c6e62f2e5a"),
        ("sr1Ghq66tYK9y3r8CC1Tf8i8m5nxh8nTvZEf", "74f8952e7a287d78e8dceec67547bd00a278abbf"),
        ("KT1BuEZtb68c1Q4yjtckcNjGELqWt56Xyesc", "246667a931fe0bd2fb1cb604f714601e88284550"),
        ("tz1KqTpEZ7Yob7QbPE4Hy4Wo8fHG8LhKxZSx", "02298c03ed7d454a101eb7022bc95f7e5f41ac78"),
    ],
)
def test_check_vectors(address: str, digits: str) -> None:
    assert hex_address(address) == digits


@pytest.mark.parametrize("address", [key[1] for key in DEFAULT_KEYS])
def test_the_published_accounts_are_spelt_right(address: str) -> None:
    assert len(payload(address)) == 20
    assert is_public_key_hash(address)


def test_any_misspelling_is_found() -> None:
    right = "sr1RYurGZtN8KNSpkMcCt9CgWeUaNkzsAfXf"
    for place in range(3, len(right)):
        other = ALPHABET[(ALPHABET.index(right[place]) + 1) % 58]
        with pytest.raises(ValueError, match=r"misspelt|too long"):
            payload(right[:place] + other + right[place + 1 :])


@pytest.mark.parametrize(
    "text", ["", "bootstrap1", "tz1", "sr1O0", "KT1" + "z" * 33, "tz1KqTpEZ7Yob7QbPE4Hy4Wo8fHG8LhKxZS"]
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match=r"address|base58|long|misspelt"):
        payload(text)
    assert not is_public_key_hash(text)


def test_a_contract_is_no_public_key_hash() -> None:
    assert not is_public_key_hash("KT1BuEZtb68c1Q4yjtckcNjGELqWt56Xyesc")
