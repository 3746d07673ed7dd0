# SPDX-License-Identifier: EUPL-1.2
"""Initiatives, the people behind them and their budgets."""

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Identity, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from abs_platform.database import Base, in_list
from abs_platform.initiatives.states import (
    InitiativeState,
    NeedKind,
    OrganiserRole,
    OverridableRule,
    RevisionKind,
    Theme,
)


class Initiative(Base):
    """An idea of residents, its target and where it is in its life. Its scope is the level of its area.

    ``submitted_at`` is the last time it was sent to the desk. ``desk_area_id`` is the district (or the municipality)
    whose desk decides: that of its area, unless it was handed over; ``handler_id`` is who took it up there.
    """

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
        # Until it is sent a draft may have gaps; from then on nothing that a page or a rule looks at is missing.
        CheckConstraint(
            "state IN ('draft', 'withdrawn') OR "
            "(area_id IS NOT NULL AND target_cents IS NOT NULL AND deadline_on IS NOT NULL)",
            name="complete_when_sent",
        ),
        CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="point_has_both"),
        Index(None, "state", "published_at"),
        # All that lists and districts count and order by: they read it without the initiatives themselves.
        Index(None, "area_id", "state", "deadline_on", postgresql_include=["id", "theme", "published_at"]),
        Index(None, "desk_area_id", "state", "submitted_at"),
        Index(None, "search", postgresql_using="gin"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    title: Mapped[str]
    summary: Mapped[str]
    story: Mapped[str]
    theme: Mapped[str]
    # These three are missing in an unfinished draft only (complete_when_sent).
    area_id: Mapped[int] = mapped_column(ForeignKey("areas.id"), nullable=True)
    place_description: Mapped[str] = mapped_column(server_default="")
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    target_cents: Mapped[int] = mapped_column(nullable=True)
    deadline_on: Mapped[dt.date] = mapped_column(nullable=True)
    audience: Mapped[str] = mapped_column(server_default="")
    planning: Mapped[str] = mapped_column(server_default="")
    state: Mapped[str] = mapped_column(server_default=InitiativeState.DRAFT.value)
    created_at: Mapped[dt.datetime]
    submitted_at: Mapped[dt.datetime | None]
    published_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]
    desk_area_id: Mapped[int | None] = mapped_column(ForeignKey("areas.id"))
    handler_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    has_questions: Mapped[bool] = mapped_column(server_default="true")
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
    """Somebody who carries an initiative. A co-organiser counts once confirmed by e-mail (rule 4).

    ``account_id`` is known once this person signed in with that e-mail address.
    """

    __tablename__ = "organisers"
    __table_args__ = (
        CheckConstraint(f"role IN {in_list(OrganiserRole)}", name="role_known"),
        CheckConstraint("postcode ~ '^[1-9][0-9]{3}[A-Z]{2}$'", name="postcode_form"),
        CheckConstraint(
            "confirmed_at IS NULL OR postcode IS NOT NULL OR role = 'initiator' OR forgotten_at IS NOT NULL",
            name="address_when_confirmed",
        ),
        CheckConstraint("confirmed_at IS NULL OR declined_at IS NULL", name="not_both_answers"),
        UniqueConstraint("initiative_id", "email"),
        Index(None, "account_id"),
        Index("uq_organisers_one_initiator", "initiative_id", unique=True, postgresql_where="role = 'initiator'"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    initiative_id: Mapped[int] = mapped_column(ForeignKey("initiatives.id"))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    role: Mapped[str]
    name: Mapped[str]
    email: Mapped[str]
    # A co-organiser states the address when confirming; whoever invites does not know it. The initiator does so in the
    # course of writing, before sending at the latest.
    postcode: Mapped[str | None]
    house_number: Mapped[str | None]
    is_name_public: Mapped[bool] = mapped_column(server_default="true")
    invitation_digest: Mapped[bytes | None] = mapped_column(unique=True)
    invited_at: Mapped[dt.datetime | None]
    confirmed_at: Mapped[dt.datetime | None]
    declined_at: Mapped[dt.datetime | None]
    # Set when the account behind it had the letter of this address in its hands; else the address is only stated.
    address_verified_at: Mapped[dt.datetime | None]
    # The person deleted the account: name and e-mail address are gone, and the address once the initiative has ended.
    forgotten_at: Mapped[dt.datetime | None]


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


class InitiativeNeed(Base):
    """What an initiative asks for besides money."""

    __tablename__ = "initiative_needs"
    __table_args__ = (
        CheckConstraint(f"kind IN {in_list(NeedKind)}", name="kind_known"),
        CheckConstraint("length(description) BETWEEN 1 AND 200", name="description_length"),
        UniqueConstraint("initiative_id", "position"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    initiative_id: Mapped[int] = mapped_column(ForeignKey("initiatives.id"))
    position: Mapped[int]
    kind: Mapped[str]
    description: Mapped[str]


class Proposal(Base):
    """What the organisers are writing: the working copy of an initiative, saved as they go.

    ``content`` is the plain data of content.Content. ``version`` goes up with every save, and ``changed_in`` holds for
    each of its keys the version that changed it last: so two people can write at once, each at another part, and
    nobody overwrites what she did not see. After publishing, ``sent_at`` says that a change waits for the desk.
    """

    __tablename__ = "initiative_proposals"

    initiative_id: Mapped[int] = mapped_column(ForeignKey("initiatives.id"), primary_key=True)
    content: Mapped[dict[str, Any]]
    version: Mapped[int] = mapped_column(server_default="1")
    changed_in: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    saved_at: Mapped[dt.datetime]
    saved_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    sent_at: Mapped[dt.datetime | None] = mapped_column(index=True)


class Revision(Base):
    """What an initiative said, whole, when it was sent and whenever it changed after that. Append only."""

    __tablename__ = "initiative_revisions"
    __table_args__ = (
        CheckConstraint(f"kind IN {in_list(RevisionKind)}", name="kind_known"),
        UniqueConstraint("initiative_id", "number"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    initiative_id: Mapped[int] = mapped_column(ForeignKey("initiatives.id"))
    number: Mapped[int]
    kind: Mapped[str]
    content: Mapped[dict[str, Any]]
    made_at: Mapped[dt.datetime]
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))


class RuleOverride(Base):
    """A rule of the game that the coordinator set aside for one initiative, and why (rule 4). Append only."""

    __tablename__ = "rule_overrides"
    __table_args__ = (
        CheckConstraint(f"rule IN {in_list(OverridableRule)}", name="rule_known"),
        CheckConstraint("length(reason) > 0", name="reason_given"),
        UniqueConstraint("initiative_id", "rule"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    initiative_id: Mapped[int] = mapped_column(ForeignKey("initiatives.id"))
    rule: Mapped[str]
    reason: Mapped[str]
    given_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    given_at: Mapped[dt.datetime]


class InitiativeProgress(Base):
    """What was given to an initiative when it was counted last: to order lists by, never to show.

    The job count_progress brings it up to date; a bar on a page is always summed from the gifts themselves.
    ``share`` is in thousandths of the target; none when it did not collect at the last count.
    ``mix_place`` is its place in the fair mix of the day ``mixed_on``; none when it did not collect at its beginning.
    """

    __tablename__ = "initiative_progress"
    __table_args__ = (
        CheckConstraint("cents >= 0 AND givers >= 0", name="not_negative"),
        Index(None, "share", "initiative_id", postgresql_where="share IS NOT NULL"),
    )

    initiative_id: Mapped[int] = mapped_column(ForeignKey("initiatives.id"), primary_key=True, autoincrement=False)
    cents: Mapped[int]
    givers: Mapped[int]
    share: Mapped[int | None]
    counted_at: Mapped[dt.datetime]
    mix_place: Mapped[int | None]
    mixed_on: Mapped[dt.date | None]
