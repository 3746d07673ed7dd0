# SPDX-License-Identifier: EUPL-1.2
"""Posts of the desk."""

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from abs_platform.database import Base, in_list
from abs_platform.news.states import PostState


class NewsPost(Base):
    """News of a district, or of the whole municipality. It is public from ``publish_at``, also when that is to come.

    Only a post that is still to come goes back to draft. ``changed_at`` is the last time its words changed.
    """

    __tablename__ = "news_posts"
    __table_args__ = (
        CheckConstraint(f"state IN {in_list(PostState)}", name="state_known"),
        CheckConstraint("length(title) BETWEEN 1 AND 120", name="title_length"),
        CheckConstraint("length(summary) <= 300", name="summary_length"),
        CheckConstraint("length(body) <= 20000", name="body_length"),
        CheckConstraint("state <> 'published' OR publish_at IS NOT NULL", name="publish_at_when_published"),
        CheckConstraint("(state = 'withdrawn') = (withdrawn_at IS NOT NULL)", name="withdrawn_at_when_so"),
        Index(None, "area_id", "publish_at"),
        Index("ix_news_posts_published", "publish_at", postgresql_where="state = 'published'"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    area_id: Mapped[int] = mapped_column(ForeignKey("areas.id"))
    title: Mapped[str]
    summary: Mapped[str] = mapped_column(server_default="")
    body: Mapped[str]
    picture_id: Mapped[int | None] = mapped_column(ForeignKey("site_pictures.id"))
    state: Mapped[str] = mapped_column(server_default=PostState.DRAFT.value)
    publish_at: Mapped[dt.datetime | None]
    author_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    made_at: Mapped[dt.datetime]
    changed_at: Mapped[dt.datetime]
    withdrawn_at: Mapped[dt.datetime | None]
    reason: Mapped[str] = mapped_column(server_default="")
