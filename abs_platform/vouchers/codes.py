# SPDX-License-Identifier: EUPL-1.2
"""Voucher codes: twelve characters of Crockford base32, the last one a check character (design.md section 5).

A code is derived with HMAC-SHA-256 from a secret key and the voucher's random nonce: 55 bits in eleven characters. Only
a keyed digest of it is stored, so that whoever has the database has no codes.

The check character makes the sum of a^i * character(i) zero in the field GF(32), with a generator a of the field and i
from 0 to 11. All factors differ, so every single wrong character and every exchange of two characters is noticed.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Self

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 12
MAX_TYPED = 200
_FIELD_POLYNOMIAL = 0b100101  # x^5 + x^2 + 1
_SAME_AS = str.maketrans({"O": "0", "I": "1", "L": "1"})
_SEPARATORS = str.maketrans(
    "", "", " -._\t\r\n\u00a0\u00ad\u2009\u200b\u2010\u2011\u2012\u2013\u2014\u2015\u202f\u2060\u2212\ufeff"
)
_VALUE = {character: value for value, character in enumerate(ALPHABET)}


def _powers() -> list[int]:
    powers = [1]
    while len(powers) < LENGTH:
        shifted = powers[-1] << 1
        powers.append(shifted ^ _FIELD_POLYNOMIAL if shifted & 0b100000 else shifted)
    return powers


def _multiply(a: int, b: int) -> int:
    product = 0
    while b:
        if b & 1:
            product ^= a
        a <<= 1
        if a & 0b100000:
            a ^= _FIELD_POLYNOMIAL
        b >>= 1
    return product


# _WEIGHTED[i][value]: what a character adds to the sum at place i. The check character stands last, with factor 1.
_WEIGHTED = [[_multiply(power, value) for value in range(32)] for power in reversed(_powers())]


class CodeError(ValueError):
    """What was typed is not a code."""


class EmptyCode(CodeError):
    """Nothing was typed."""


class MistypedCode(CodeError):
    """A typing error: wrong length, wrong characters or a wrong check character. Told without asking the database."""


def _check_sum(values: list[int]) -> int:
    total = 0
    for place, value in enumerate(values):
        total ^= _WEIGHTED[place][value]
    return total


def format_payload(payload: int) -> str:
    """Write 55 bits as a code with its check character: "K7QJ-4MXP-9T2C"."""
    values = [(payload >> shift) & 31 for shift in range(50, -1, -5)]
    values.append(_check_sum(values))
    code = "".join(ALPHABET[value] for value in values)
    return f"{code[:4]}-{code[4:8]}-{code[8:]}"


def read_code(typed: str) -> int:
    """Read a code as people type it and return its 55 bits: case, spaces, dashes, O/0 and I/L/1 are forgiven.

    Raises: EmptyCode, MistypedCode.
    """
    if len(typed) > MAX_TYPED:
        raise MistypedCode("too long")
    code = typed.upper().translate(_SEPARATORS).translate(_SAME_AS)
    if not code:
        raise EmptyCode("empty")
    if len(code) != LENGTH:
        raise MistypedCode("wrong length")
    try:
        values = [_VALUE[character] for character in code]
    except KeyError as error:
        raise MistypedCode("wrong character") from error
    if _check_sum(values) != 0:
        raise MistypedCode("wrong check character")
    payload = 0
    for value in values[:-1]:
        payload = payload << 5 | value
    return payload


@dataclass(frozen=True, slots=True)
class CodeKeys:
    """The two keys that are derived from ABS_VOUCHER_KEY: one makes codes, one digests them."""

    code_key: bytes = field(repr=False)
    digest_key: bytes = field(repr=False)

    @classmethod
    def derive(cls, voucher_key: bytes) -> Self:
        """Derive both keys from the one secret."""
        return cls(
            hmac.digest(voucher_key, b"abs voucher code 1", hashlib.sha256),
            hmac.digest(voucher_key, b"abs voucher digest 1", hashlib.sha256),
        )

    @property
    def fingerprint(self) -> bytes:
        """Tells one key from another without telling anything of the key (16 bytes)."""
        return hmac.digest(self.digest_key, b"abs voucher key fingerprint", hashlib.sha256)[:16]

    def payload(self, nonce: bytes) -> int:
        """The 55 bits of the code of a voucher with this nonce."""
        return int.from_bytes(hmac.digest(self.code_key, nonce, "sha256")[:7]) >> 1

    def code(self, nonce: bytes) -> str:
        """The code of a voucher with this nonce, as it is printed."""
        return format_payload(self.payload(nonce))

    def digest(self, payload: int) -> bytes:
        """What is stored of a code (16 bytes)."""
        return hmac.digest(self.digest_key, payload.to_bytes(7), "sha256")[:16]
