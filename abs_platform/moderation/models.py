# SPDX-License-Identifier: EUPL-1.2
"""What a desk writes: decisions and their drafts, ticks on the checklist, notes, and the conversation."""

import datetime as dt

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from abs_platform.database import Base, in_list
from abs_platform.moderation.states import DecisionKind, Side

_MAY_GO_WITHOUT_REASON = "kind IN ('publish', 'approve_change')"


class DecisionDraft(Base):
    """A decision that is being written. Only staff of its desk may ever see it, until it is given.

    Everybody has a draft of their own. ``seen`` is what the writer had before her: when that is no longer so, she is
    told instead of deciding about something else.
    """

    __tablename__ = "decision_drafts"
    __table_args__ = (
        CheckConstraint(f"kind IN {in_list(DecisionKind)}", name="kind_known"),
        CheckConstraint("length(reason) <= 4000", name="reason_length"),
    )

    initiative_id: Mapped[int] = mapped_column(ForeignKey("initiatives.id"), primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    desk_area_id: Mapped[int] = mapped_column(ForeignKey("areas.id"))
    kind: Mapped[str]
    reason: Mapped[str] = mapped_column(server_default="")
    to_area_id: Mapped[int | None] = mapped_column(ForeignKey("areas.id"))
    seen: Mapped[str]
    saved_at: Mapped[dt.datetime]


class Decision(Base):
    """What a desk decided, why, and the mail that told it to whom. Append only.

    ``recipient_ids`` are organisers; ``desk_recipient_ids`` are accounts of staff, when it was handed over to them.
    """

    __tablename__ = "decisions"
    __table_args__ = (
        CheckConstraint(f"kind IN {in_list(DecisionKind)}", name="kind_known"),
        CheckConstraint(f"{_MAY_GO_WITHOUT_REASON} OR length(reason) > 0", name="reason_given"),
        CheckConstraint("(kind = 'hand_over') = (to_area_id IS NOT NULL)", name="handed_over_to_a_desk"),
        Index(None, "initiative_id", "id"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    initiative_id: Mapped[int] = mapped_column(ForeignKey("initiatives.id"))
    kind: Mapped[str]
    reason: Mapped[str]
    desk_area_id: Mapped[int | None] = mapped_column(ForeignKey("areas.id"))
    to_area_id: Mapped[int | None] = mapped_column(ForeignKey("areas.id"))
    decided_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    decided_at: Mapped[dt.datetime]
    mail_subject: Mapped[str]
    mail_text: Mapped[str]
    recipient_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    desk_recipient_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))


class ChecklistTick(Base):
    """Somebody looked at one line of the checklist and found it in order."""

    __tablename__ = "checklist_ticks"

    initiative_id: Mapped[int] = mapped_column(ForeignKey("initiatives.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    ticked_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    ticked_at: Mapped[dt.datetime]


class DeskNote(Base):
    """What staff write for each other about an initiative."""

    __tablename__ = "desk_notes"
    __table_args__ = (
        CheckConstraint("length(text) BETWEEN 1 AND 4000", name="text_length"),
        Index(None, "initiative_id", "id"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    initiative_id: Mapped[int] = mapped_column(ForeignKey("initiatives.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    text: Mapped[str]
    written_at: Mapped[dt.datetime]


class Message(Base):
    """One message between a desk and the organisers. Those of organisers wait until a desk has dealt with them.

    ``recipient_ids`` are whom it was mailed to: organisers when the desk speaks, else accounts of staff.
    """

    __tablename__ = "desk_messages"
    __table_args__ = (
        CheckConstraint(f"side IN {in_list(Side)}", name="side_known"),
        CheckConstraint("length(text) BETWEEN 1 AND 4000", name="text_length"),
        CheckConstraint("(handled_at IS NULL) = (handled_by_id IS NULL)", name="handled_by_somebody"),
        CheckConstraint("side = 'organiser' OR handled_at IS NULL", name="desk_waits_for_nobody"),
        Index(None, "initiative_id", "id"),
        Index(
            "ix_desk_messages_waiting",
            "initiative_id",
            "sent_at",
            postgresql_where="side = 'organiser' AND handled_at IS NULL",
        ),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    initiative_id: Mapped[int] = mapped_column(ForeignKey("initiatives.id"))
    side: Mapped[str]
    author_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    text: Mapped[str]
    sent_at: Mapped[dt.datetime]
    recipient_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    handled_at: Mapped[dt.datetime | None]
    handled_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
