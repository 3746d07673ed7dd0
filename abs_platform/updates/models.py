# SPDX-License-Identifier: EUPL-1.2
"""Updates of organisers, their thanks to the givers, and who wants no more news."""

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from abs_platform.database import Base, in_list
from abs_platform.updates.states import UpdateState


class Update(Base):
    """News of the organisers, with pictures. ``recipient_count`` is to how many givers it was mailed.

    ``ended_at`` and ``reason`` say when and why it was taken off the page; a draft is thrown away without a reason.
    """

    __tablename__ = "initiative_updates"
    __table_args__ = (
        CheckConstraint(f"state IN {in_list(UpdateState)}", name="state_known"),
        CheckConstraint("length(title) <= 120", name="title_length"),
        CheckConstraint("length(body) <= 5000", name="body_length"),
        CheckConstraint("state IN ('draft', 'removed') OR posted_at IS NOT NULL", name="posted_at_when_posted"),
        CheckConstraint("(posted_at IS NULL) = (recipient_count IS NULL)", name="recipients_when_posted"),
        CheckConstraint("(state IN ('removed', 'hidden')) = (ended_at IS NOT NULL)", name="ended_at_when_ended"),
        CheckConstraint("ended_at IS NULL OR posted_at IS NULL OR length(reason) > 0", name="reason_given"),
        Index(None, "initiative_id", "posted_at"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    initiative_id: Mapped[int] = mapped_column(ForeignKey("initiatives.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    state: Mapped[str] = mapped_column(server_default=UpdateState.DRAFT.value)
    title: Mapped[str]
    body: Mapped[str]
    saved_at: Mapped[dt.datetime]
    posted_at: Mapped[dt.datetime | None]
    edited_at: Mapped[dt.datetime | None]
    recipient_count: Mapped[int | None]
    ended_at: Mapped[dt.datetime | None]
    reason: Mapped[str | None]

    @property
    def state_label(self) -> str:
        """Where it is, in the reader's language."""
        return UpdateState(self.state).label


class Thanks(Base):
    """What the organisers said to all givers, once. ``recipient_count`` is to how many of them it was mailed."""

    __tablename__ = "initiative_thanks"
    __table_args__ = (CheckConstraint("length(body) BETWEEN 1 AND 2000", name="body_length"),)

    initiative_id: Mapped[int] = mapped_column(ForeignKey("initiatives.id"), primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    body: Mapped[str]
    thanked_at: Mapped[dt.datetime]
    recipient_count: Mapped[int]


class NewsStop(Base):
    """The giver of this gift wants no more news. The address stays for the one mail about the gift coming back."""

    __tablename__ = "news_stops"

    donation_id: Mapped[int] = mapped_column(ForeignKey("donations.id"), primary_key=True)
    stopped_at: Mapped[dt.datetime]
