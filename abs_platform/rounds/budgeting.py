# SPDX-License-Identifier: EUPL-1.2
"""The year's budget: what the council set aside, what rounds took of it, what planned rounds will take, what is left.

A round belongs to the year in which its vouchers are issued. What expires or is revoked comes back to that year.
Issued vouchers count in full until they expire: every one of them may still be given.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.actors import Actor
from abs_platform.errors import InvalidInput
from abs_platform.rounds.models import YearBudget
from abs_platform.rounds.service import lock_planning
from abs_platform.rounds.states import RoundState

FIRST_YEAR, LAST_YEAR = 2000, 2100
MOST_CENTS = 100_000_000_00
# How much of a round is used is learned from so many rounds that are over.
ROUNDS_TO_LEARN_FROM = 4

_ROUNDS = text("""
    SELECT r.id, r.name, r.state, r.amount_cents,
           COALESCE((SELECT -SUM(p.amount_cents) FROM ledger_postings p
                     WHERE p.account = 'budget' AND p.round_id = r.id), 0)::bigint,
           CASE WHEN r.state = 'planned' THEN
               (SELECT COUNT(*) FROM households h
                JOIN areas n ON n.id = h.neighbourhood_id
                JOIN round_districts d ON d.district_id = n.parent_id AND d.round_id = r.id
                WHERE h.ended_on IS NULL AND h.mail_returned_at IS NULL)
           ELSE 0 END
    FROM rounds r
    WHERE r.state <> 'cancelled' AND r.issue_on >= :first AND r.issue_on < :next
    ORDER BY r.issue_on, r.id
""")
_USED = text("""
    WITH over AS (SELECT id FROM rounds WHERE state = 'closed' ORDER BY closes_at DESC LIMIT :rounds)
    SELECT COUNT(*) FILTER (WHERE v.state IN ('given', 'kept')), COUNT(*)
    FROM vouchers v WHERE v.round_id IN (SELECT id FROM over) AND v.revoked_at IS NULL
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetLine:
    """What one round takes of its year: ``issued_cents`` is out and not back, ``planned_cents`` would go out."""

    round_id: int
    name: str
    state: RoundState
    issued_cents: int
    planned_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class YearView:
    """A year with its rounds. ``budget_cents`` is None until it is set; ``used_percent`` tells of earlier rounds."""

    year: int
    budget_cents: int | None
    lines: tuple[BudgetLine, ...]
    used_percent: int | None

    @property
    def issued_cents(self) -> int:
        """What is out and did not come back."""
        return sum(line.issued_cents for line in self.lines)

    @property
    def planned_cents(self) -> int:
        """What planned rounds would take, at the addresses of now."""
        return sum(line.planned_cents for line in self.lines)

    @property
    def left_cents(self) -> int | None:
        """What is left when all planned rounds are issued and every voucher is used."""
        return None if self.budget_cents is None else self.budget_cents - self.issued_cents - self.planned_cents

    @property
    def expected_cents(self) -> int | None:
        """What will probably be used, when residents do as in earlier rounds. Closed rounds are as they are."""
        if self.used_percent is None:
            return None
        done = sum(line.issued_cents for line in self.lines if line.state is RoundState.CLOSED)
        return done + (self.issued_cents - done + self.planned_cents) * self.used_percent // 100


def year_view(session: Session, year: int) -> YearView:
    """The budget of a year and the rounds that take from it."""
    first, following = dt.date(year, 1, 1), dt.date(year + 1, 1, 1)
    used, all_of_them = session.execute(_USED, {"rounds": ROUNDS_TO_LEARN_FROM}).one()
    return YearView(
        year=year,
        budget_cents=session.scalar(select(YearBudget.amount_cents).where(YearBudget.year == year)),
        lines=tuple(
            BudgetLine(
                round_id=round_id,
                name=name,
                state=RoundState(state),
                issued_cents=issued_cents,
                planned_cents=addresses * amount_cents,
            )
            for round_id, name, state, amount_cents, issued_cents, addresses in session.execute(
                _ROUNDS, {"first": first, "next": following}
            )
        ),
        used_percent=used * 100 // all_of_them if all_of_them else None,
    )


def set_budget(
    session: Session, year: int, amount_cents: int, *, reason: str, actor: Actor, now: dt.datetime
) -> int | None:
    """Write down what the council set aside for a year; returns what it was. Locks: planning. Raises: InvalidInput."""
    fields = {}
    if not FIRST_YEAR <= year <= LAST_YEAR:
        fields["year"] = _("Kies een jaar van %(first)s tot en met %(last)s.", first=FIRST_YEAR, last=LAST_YEAR)
    if not 0 <= amount_cents <= MOST_CENTS:
        fields["amount"] = _("Vul een bedrag in van 0 tot en met 100 miljoen euro.")
    if not reason.strip():
        fields["reason"] = _("Geef een reden, zoals het besluit van de raad.")
    if fields:
        raise InvalidInput(" ".join(fields.values()), fields=fields)
    lock_planning(session)
    budget = session.get(YearBudget, year, with_for_update=True, populate_existing=True)
    old = None if budget is None else budget.amount_cents
    if budget is None:
        session.add(YearBudget(year=year, amount_cents=amount_cents))
        session.flush()
    elif old == amount_cents:
        return old
    else:
        budget.amount_cents = amount_cents
    events.record(
        session, "budget.set", year, actor=actor, now=now, reason=reason.strip(), old_cents=old, new_cents=amount_cents
    )
    return old
