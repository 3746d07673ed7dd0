# SPDX-License-Identifier: EUPL-1.2
"""What stands on the agenda."""

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from abs_platform.agenda.states import ItemState
from abs_platform.database import Base, in_list


class AgendaItem(Base):
    """Something that happens somewhere, from one moment to another: of the desk, or of an initiative's organisers.

    It is public from ``publish_at``. ``sequence`` goes up with every change that a calendar has to follow (RFC 5545).
    """

    __tablename__ = "agenda_items"
    __table_args__ = (
        CheckConstraint(f"state IN {in_list(ItemState)}", name="state_known"),
        CheckConstraint("length(title) BETWEEN 1 AND 120", name="title_length"),
        CheckConstraint("length(description) <= 5000", name="description_length"),
        CheckConstraint("length(place) BETWEEN 1 AND 200", name="place_length"),
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        CheckConstraint("state NOT IN ('published', 'cancelled') OR publish_at IS NOT NULL", name="publish_at_set"),
        CheckConstraint("(state = 'withdrawn') = (withdrawn_at IS NOT NULL)", name="withdrawn_at_when_so"),
        Index(None, "area_id", "starts_at"),
        Index(None, "initiative_id"),
        Index("ix_agenda_items_public", "starts_at", postgresql_where="state IN ('published', 'cancelled')"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    area_id: Mapped[int] = mapped_column(ForeignKey("areas.id"))
    initiative_id: Mapped[int | None] = mapped_column(ForeignKey("initiatives.id"))
    title: Mapped[str]
    description: Mapped[str] = mapped_column(server_default="")
    place: Mapped[str]
    starts_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime]
    state: Mapped[str] = mapped_column(server_default=ItemState.DRAFT.value)
    publish_at: Mapped[dt.datetime | None]
    sequence: Mapped[int] = mapped_column(server_default="0")
    author_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    made_at: Mapped[dt.datetime]
    changed_at: Mapped[dt.datetime]
    withdrawn_at: Mapped[dt.datetime | None]
    reason: Mapped[str] = mapped_column(server_default="")
