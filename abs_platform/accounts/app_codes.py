# SPDX-License-Identifier: EUPL-1.2
"""The secret of an authenticator app, always sealed for its account, and the thirty seconds that a code belongs to."""

from __future__ import annotations

import base64
import datetime as dt
import hmac

import pyotp
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

OFFER_SECONDS = 1800


def offer_secret(secret_key: str, account_id: int) -> str:
    """A secret for a new app of this account, sealed; ``read_offered`` opens it for half an hour."""
    return seal(secret_key, account_id, pyotp.random_base32()).decode()


def read_offered(secret_key: str, account_id: int, sealed: str, *, now: dt.datetime) -> str | None:
    """The secret that was offered to this account, or None when that is too long ago."""
    moment = int(now.timestamp())
    cipher = _cipher(secret_key)
    try:
        content = cipher.decrypt_at_time(sealed.encode(), ttl=OFFER_SECONDS, current_time=moment)
    except InvalidToken:
        return None
    return _of_account(content, account_id)


def seal(secret_key: str, account_id: int, secret: str) -> bytes:
    """Encrypt a secret; it is worth nothing for another account or under another key."""
    return _cipher(secret_key).encrypt(f"{account_id}:{secret}".encode())


def unseal(secret_key: str, account_id: int, sealed: bytes) -> str | None:
    """The secret, or None when the key of the app was another one, or the account is."""
    try:
        content = _cipher(secret_key).decrypt(sealed)
    except InvalidToken:
        return None
    return _of_account(content, account_id)


def provisioning_uri(secret: str, email: str, issuer: str) -> str:
    """What the QR code tells an app."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=issuer)


def step_of(secret: str, code: str, now: dt.datetime) -> int | None:
    """The step of thirty seconds that this code is of: this one, or the one before or after it (RFC 6238)."""
    totp = pyotp.TOTP(secret)
    step = int(now.timestamp()) // totp.interval
    near = (step, step - 1, step + 1)
    return next((one for one in near if hmac.compare_digest(totp.generate_otp(one), code)), None)


def _of_account(content: bytes, account_id: int) -> str | None:
    owner, _colon, secret = content.decode().partition(":")
    return secret if owner == str(account_id) else None


def _cipher(secret_key: str) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"secrets of authenticator apps")
    return Fernet(base64.urlsafe_b64encode(derived.derive(secret_key.encode())))
