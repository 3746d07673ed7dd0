# SPDX-License-Identifier: EUPL-1.2
"""Followers by their e-mail address, and what they follow."""

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from abs_platform.database import Base, in_list
from abs_platform.following.states import FollowKind
from abs_platform.initiatives.states import Theme


class Follower(Base):
    """An e-mail address that gets the weekly mail once it was confirmed from that mailbox. No account is needed.

    ``language`` is that of the page on which was asked. ``told_until`` is the moment up to which the mails have told
    what is new. Who stops is deleted.
    """

    __tablename__ = "followers"
    __table_args__ = (
        CheckConstraint("email = lower(email)", name="email_lower_case"),
        CheckConstraint("language ~ '^[a-z]{2}$'", name="language_form"),
        CheckConstraint("(confirmed_at IS NULL) = (told_until IS NULL)", name="told_once_confirmed"),
        Index(None, "told_until", postgresql_where="confirmed_at IS NOT NULL"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    language: Mapped[str] = mapped_column(server_default="nl")
    asked_at: Mapped[dt.datetime]
    confirmed_at: Mapped[dt.datetime | None]
    told_until: Mapped[dt.datetime | None]


class Follow(Base):
    """One thing that somebody follows: an area, a theme or an initiative."""

    __tablename__ = "follows"
    __table_args__ = (
        CheckConstraint(f"kind IN {in_list(FollowKind)}", name="kind_known"),
        CheckConstraint(f"theme IS NULL OR theme IN {in_list(Theme)}", name="theme_known"),
        CheckConstraint("(kind = 'area') = (area_id IS NOT NULL)", name="area_named"),
        CheckConstraint("(kind = 'theme') = (theme IS NOT NULL)", name="theme_named"),
        CheckConstraint("(kind = 'initiative') = (initiative_id IS NOT NULL)", name="initiative_named"),
        UniqueConstraint(
            "follower_id",
            "area_id",
            "theme",
            "initiative_id",
            postgresql_nulls_not_distinct=True,
            name="uq_follows_once",
        ),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    follower_id: Mapped[int] = mapped_column(ForeignKey("followers.id", ondelete="CASCADE"))
    kind: Mapped[str]
    area_id: Mapped[int | None] = mapped_column(ForeignKey("areas.id"))
    theme: Mapped[str | None]
    initiative_id: Mapped[int | None] = mapped_column(ForeignKey("initiatives.id"), index=True)
    asked_at: Mapped[dt.datetime]
    confirmed_at: Mapped[dt.datetime | None]
