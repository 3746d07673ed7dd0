# SPDX-License-Identifier: EUPL-1.2
"""Secrets at rest: sealed for one purpose and one owner under the key of the app, and worth nothing for another."""

from __future__ import annotations

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def seal(secret_key: str, purpose: str, owner: str, secret: bytes) -> bytes:
    """Encrypt a secret; ``unseal`` opens it for the same purpose and owner only."""
    return _cipher(secret_key, purpose).encrypt(_head(owner) + secret)


def unseal(secret_key: str, purpose: str, owner: str, sealed: bytes) -> bytes | None:
    """The secret, or None when the key of the app, the purpose or the owner was another one."""
    try:
        content = _cipher(secret_key, purpose).decrypt(sealed)
    except InvalidToken:
        return None
    head = _head(owner)
    return content.removeprefix(head) if content.startswith(head) else None


def fingerprint(secret_key: str, purpose: str, text: str) -> bytes:
    """A keyed digest of 16 bytes: the same text is found again, and nobody without the key learns it."""
    return hmac.digest(f"{purpose}:{secret_key}".encode(), text.encode(), hashlib.sha256)[:16]


def _head(owner: str) -> bytes:
    return f"{owner}\0".encode()


def _cipher(secret_key: str, purpose: str) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"sealed: {purpose}".encode())
    return Fernet(base64.urlsafe_b64encode(derived.derive(secret_key.encode())))
