# SPDX-License-Identifier: EUPL-1.2
"""Questions and answers under an initiative, and what people report of them."""

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from abs_platform.database import Base, in_list
from abs_platform.questions.states import Voice


class Post(Base):
    """A question of a resident, or an answer to one. Who deletes the account takes the name along, not the text."""

    __tablename__ = "question_posts"
    __table_args__ = (
        CheckConstraint(f"voice IN {in_list(Voice)}", name="voice_known"),
        CheckConstraint("(question_id IS NULL) = (voice = 'resident')", name="residents_ask"),
        CheckConstraint("length(body) BETWEEN 1 AND 2000", name="body_length"),
        CheckConstraint("num_nulls(hidden_at, hidden_by_id, hidden_reason) IN (0, 3)", name="hidden_whole"),
        Index(None, "initiative_id", "posted_at"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    initiative_id: Mapped[int] = mapped_column(ForeignKey("initiatives.id"))
    question_id: Mapped[int | None] = mapped_column(ForeignKey("question_posts.id"), index=True)
    voice: Mapped[str]
    author_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    body: Mapped[str]
    posted_at: Mapped[dt.datetime]
    hidden_at: Mapped[dt.datetime | None]
    hidden_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    hidden_reason: Mapped[str | None]


class Report(Base):
    """Somebody says that a post does not belong here; the desk looks at it once."""

    __tablename__ = "question_reports"
    __table_args__ = (
        CheckConstraint("length(reason) BETWEEN 1 AND 500", name="reason_length"),
        CheckConstraint("(settled_at IS NULL) = (settled_by_id IS NULL)", name="settled_by_somebody"),
        UniqueConstraint("post_id", "reporter_id"),
        Index("ix_question_reports_open", "post_id", postgresql_where="settled_at IS NULL"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("question_posts.id"))
    reporter_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    reason: Mapped[str]
    reported_at: Mapped[dt.datetime]
    settled_at: Mapped[dt.datetime | None]
    settled_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
