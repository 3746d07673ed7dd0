# SPDX-License-Identifier: EUPL-1.2
"""Rounds, and the districts that take part in them."""

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Identity, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from abs_platform.database import Base, in_list
from abs_platform.rounds.states import RoundState


class Round(Base):
    """One issue of vouchers, with the numbers of the rules as they were for it.

    ``key_fingerprint`` tells under which voucher key its codes were made, so that a changed key is noticed.
    ``released_at``: when a coordinator said that it may be issued; ``letter_text_id`` the text that its letters have.
    """

    __tablename__ = "rounds"
    __table_args__ = (
        CheckConstraint(f"state IN {in_list(RoundState)}", name="state_known"),
        CheckConstraint("amount_cents > 0", name="amount_positive"),
        CheckConstraint("opens_at < closes_at", name="opens_before_closing"),
        CheckConstraint("kept_valid_days > 0 AND returned_valid_days > 0", name="valid_days_positive"),
        UniqueConstraint("id", "opens_at", "closes_at"),
        # The name of a cancelled round may be used again.
        Index("uq_rounds_name", "name", unique=True, postgresql_where="state <> 'cancelled'"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    name: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=RoundState.DRAFT.value)
    issue_on: Mapped[dt.date]
    opens_at: Mapped[dt.datetime]
    closes_at: Mapped[dt.datetime]
    amount_cents: Mapped[int]
    kept_valid_days: Mapped[int]
    returned_valid_days: Mapped[int]
    key_fingerprint: Mapped[bytes | None]
    closed_at: Mapped[dt.datetime | None]
    released_at: Mapped[dt.datetime | None]
    letter_text_id: Mapped[int | None] = mapped_column(ForeignKey("letter_texts.id"))


class YearBudget(Base):
    """What the council set aside for the vouchers that are issued in a year. Its history stands in the event log."""

    __tablename__ = "year_budgets"
    __table_args__ = (
        CheckConstraint("year BETWEEN 2000 AND 2100", name="year_range"),
        CheckConstraint("amount_cents >= 0", name="amount_not_negative"),
    )

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    amount_cents: Mapped[int]


class RoundDistrict(Base):
    """A district takes part in a round. The exclusion lets no two rounds be open at once in one district."""

    __tablename__ = "round_districts"
    __table_args__ = (
        ForeignKeyConstraint(
            ["round_id", "opens_at", "closes_at"],
            ["rounds.id", "rounds.opens_at", "rounds.closes_at"],
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        ExcludeConstraint(
            (text("int8range(district_id, district_id, '[]')"), "&&"),
            (text("tstzrange(opens_at, closes_at)"), "&&"),
            name="ex_round_districts_one_open_round",
            using="gist",
        ),
    )

    round_id: Mapped[int] = mapped_column(primary_key=True)
    district_id: Mapped[int] = mapped_column(ForeignKey("areas.id"), primary_key=True)
    opens_at: Mapped[dt.datetime]
    closes_at: Mapped[dt.datetime]
