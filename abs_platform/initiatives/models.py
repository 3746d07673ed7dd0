# SPDX-License-Identifier: EUPL-1.2
"""Initiatives, the people behind them and their budgets."""

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Identity, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from abs_platform.database import Base, in_list
from abs_platform.initiatives.states import InitiativeState, OrganiserRole, Theme


class Initiative(Base):
    """An idea of residents, its target and where it is in its life. Its scope is the level of its area."""

    __tablename__ = "initiatives"
    __table_args__ = (
        CheckConstraint(f"state IN {in_list(InitiativeState)}", name="state_known"),
        CheckConstraint(f"theme IN {in_list(Theme)}", name="theme_known"),
        CheckConstraint("target_cents > 0", name="target_positive"),
        CheckConstraint("length(title) BETWEEN 1 AND 120", name="title_length"),
        CheckConstraint(
            "(state IN ('draft', 'submitted', 'changes_requested', 'rejected', 'withdrawn')) "
            "OR published_at IS NOT NULL",
            name="published_at_when_public",
        ),
        Index(None, "state", "published_at"),
        Index(None, "search", postgresql_using="gin"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    title: Mapped[str]
    summary: Mapped[str]
    story: Mapped[str]
    theme: Mapped[str]
    area_id: Mapped[int] = mapped_column(ForeignKey("areas.id"), index=True)
    place_description: Mapped[str] = mapped_column(server_default="")
    target_cents: Mapped[int]
    deadline_on: Mapped[dt.date]
    state: Mapped[str] = mapped_column(server_default=InitiativeState.DRAFT.value)
    created_at: Mapped[dt.datetime]
    published_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]
    search: Mapped[Any] = mapped_column(
        TSVECTOR,
        Computed(
            "setweight(to_tsvector('dutch', title), 'A') || setweight(to_tsvector('dutch', summary), 'B') "
            "|| to_tsvector('dutch', story || ' ' || place_description)",
            persisted=True,
        ),
        deferred=True,
    )


class Organiser(Base):
    """Somebody who carries an initiative. A co-organiser counts once confirmed by e-mail (rule 4)."""

    __tablename__ = "organisers"
    __table_args__ = (
        CheckConstraint(f"role IN {in_list(OrganiserRole)}", name="role_known"),
        CheckConstraint("postcode ~ '^[1-9][0-9]{3}[A-Z]{2}$'", name="postcode_form"),
        UniqueConstraint("initiative_id", "email"),
        Index("uq_organisers_one_initiator", "initiative_id", unique=True, postgresql_where="role = 'initiator'"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    initiative_id: Mapped[int] = mapped_column(ForeignKey("initiatives.id"))
    role: Mapped[str]
    name: Mapped[str]
    email: Mapped[str]
    postcode: Mapped[str]
    house_number: Mapped[str]
    confirmed_at: Mapped[dt.datetime | None]


class BudgetLine(Base):
    """One line of an initiative's budget; together they are the target."""

    __tablename__ = "budget_lines"
    __table_args__ = (
        CheckConstraint("amount_cents > 0", name="amount_positive"),
        UniqueConstraint("initiative_id", "position"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    initiative_id: Mapped[int] = mapped_column(ForeignKey("initiatives.id"))
    position: Mapped[int]
    description: Mapped[str]
    amount_cents: Mapped[int]
