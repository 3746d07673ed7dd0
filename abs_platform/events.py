# SPDX-License-Identifier: EUPL-1.2
"""The event log: who did what, when and why. Append only; the database refuses UPDATE and DELETE."""

import datetime as dt
from collections.abc import Collection
from typing import Any

from sqlalchemy import Identity, Index, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from abs_platform.actors import Actor
from abs_platform.database import Base


class Event(Base):
    """One thing that happened. ``kind`` is "subject.verb"; ``details`` never holds a code or an address."""

    __tablename__ = "events"
    __table_args__ = (
        Index(None, "subject", "subject_id"),
        Index(None, "kind", "happened_at"),
        Index("ix_events_subject_id_shown", "subject", "id", postgresql_where="subject <> 'voucher'"),
        Index("ix_events_actor_id_of_staff", "actor", "id", postgresql_where="actor LIKE 'staff:%'"),
        Index("ix_events_id_voucher_of_staff", "id", postgresql_where="subject = 'voucher' AND actor LIKE 'staff:%'"),
        Index("ix_events_id_with_reason", "id", postgresql_where="reason IS NOT NULL"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    happened_at: Mapped[dt.datetime]
    actor: Mapped[str]
    kind: Mapped[str]
    subject: Mapped[str]
    subject_id: Mapped[int | None]
    reason: Mapped[str | None]
    details: Mapped[dict[str, Any] | None]


def record(
    session: Session,
    kind: str,
    subject_id: int | None,
    *,
    actor: Actor,
    now: dt.datetime,
    reason: str | None = None,
    **details: Any,
) -> None:
    """Write one event in the caller's transaction. ``kind`` is "subject.verb", as in "initiative.published"."""
    session.add(
        Event(
            happened_at=now,
            actor=str(actor),
            kind=kind,
            subject=kind.partition(".")[0],
            subject_id=subject_id,
            reason=reason,
            details=details or None,
        )
    )


def happened_since(session: Session, kind: str, since: dt.datetime) -> bool:
    """Whether something of this kind happened after a moment."""
    query = select(Event.id).where(Event.kind == kind, Event.happened_at > since).limit(1)
    return session.scalar(query) is not None


def latest(session: Session, kind_prefix: str, limit: int) -> list[Event]:
    """The newest events whose kind starts with these words, newest first."""
    query = select(Event).where(Event.kind.startswith(kind_prefix, autoescape=True))
    return list(session.scalars(query.order_by(Event.id.desc()).limit(limit)))


def latest_of(session: Session, subject: str, subject_id: int, kinds: Collection[str]) -> Event | None:
    """The newest event of one of these kinds about one thing, or None."""
    query = select(Event).where(Event.subject == subject, Event.subject_id == subject_id, Event.kind.in_(kinds))
    return session.scalar(query.order_by(Event.id.desc()).limit(1))
