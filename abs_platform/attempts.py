# SPDX-License-Identifier: EUPL-1.2
"""Counts tries in the database, so that a limit holds over all workers: sign-in mails, codes, questions, uploads."""

import datetime as dt
import hashlib
import hmac

from flask_babel import gettext as _
from sqlalchemy import Identity, Index, delete, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from abs_platform.clock import AMSTERDAM
from abs_platform.database import Base
from abs_platform.errors import TooManyAttempts

KEPT = dt.timedelta(days=2)


class Attempt(Base):
    """One try. The key is a digest of who or what tries, never the thing itself."""

    __tablename__ = "attempts"
    __table_args__ = (Index(None, "bucket", "key_digest", "attempted_at"), Index(None, "attempted_at"))

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    bucket: Mapped[str]
    key_digest: Mapped[bytes]
    attempted_at: Mapped[dt.datetime]


def digest(secret_key: str, text_: str) -> bytes:
    """A keyed digest of what is counted, 16 bytes."""
    return hmac.digest(f"attempts:{secret_key}".encode(), text_.encode(), hashlib.sha256)[:16]


def claim(session: Session, bucket: str, key: bytes, *, most: int, window: dt.timedelta, now: dt.datetime) -> None:
    """Count one try of this key, of which there may be so many in a window.

    The lock makes the tries of one key queue, so that many at once cannot slip past the count.
    Raises: TooManyAttempts with the moment when the oldest of them is forgotten.
    """
    lock = int.from_bytes(hashlib.sha256(bucket.encode() + key).digest()[:8], signed=True)
    session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})
    recent = list(
        session.scalars(
            select(Attempt.attempted_at)
            .where(Attempt.bucket == bucket, Attempt.key_digest == key, Attempt.attempted_at > now - window)
            .order_by(Attempt.attempted_at.desc())
            .limit(most)
        )
    )
    if len(recent) >= most:
        retry_at = recent[-1] + window
        time = (retry_at + dt.timedelta(seconds=59)).astimezone(AMSTERDAM).strftime("%H.%M")
        raise TooManyAttempts(
            _("Dit is te vaak geprobeerd. Probeer het opnieuw na %(time)s uur.", time=time), retry_at=retry_at, now=now
        )
    session.add(Attempt(bucket=bucket, key_digest=key, attempted_at=now))
    session.flush()


def take_back(session: Session, bucket: str, key: bytes) -> None:
    """The try that was just claimed was right: it does not count. Those before it stay."""
    newest = select(func.max(Attempt.id)).where(Attempt.bucket == bucket, Attempt.key_digest == key).scalar_subquery()
    session.execute(delete(Attempt).where(Attempt.id == newest))


def count(session: Session, bucket: str, key: bytes, since: dt.datetime) -> int:
    """How many tries of this key count since a moment, at most so long ago as they are kept."""
    tries = select(func.count()).where(
        Attempt.bucket == bucket, Attempt.key_digest == key, Attempt.attempted_at >= since
    )
    return session.scalar(tries) or 0


def forget(session: Session, bucket: str, key: bytes) -> None:
    """Start counting again for this key."""
    session.execute(delete(Attempt).where(Attempt.bucket == bucket, Attempt.key_digest == key))


def purge(session: Session, now: dt.datetime) -> int:
    """Forget tries that nothing counts any more; returns how many."""
    result = session.execute(delete(Attempt).where(Attempt.attempted_at < now - KEPT))
    return int(getattr(result, "rowcount", 0))
