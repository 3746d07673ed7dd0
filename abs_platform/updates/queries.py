# SPDX-License-Identifier: EUPL-1.2
"""Reads of updates, and who is to be told what."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from abs_platform.donations.models import Donation
from abs_platform.donations.states import DonationKind, DonationState
from abs_platform.events import Event
from abs_platform.initiatives.models import Initiative, Organiser
from abs_platform.initiatives.states import InitiativeState
from abs_platform.mail_server import read_address
from abs_platform.outbox import OutgoingMail
from abs_platform.paging import Page, page_of
from abs_platform.rounds.models import Round
from abs_platform.updates.models import NewsStop, Thanks, Update
from abs_platform.updates.states import THANKING_STATES, UpdateState
from abs_platform.vouchers.models import Voucher

PAGE_SIZE = 10
# Who was funded longer ago than this is not told any more: it would be no news.
TOLD_WITHIN = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnedGift:
    """A gift that came back, as its giver is told: where its voucher went since, or until when it can be given."""

    id: int
    email: str
    reference: str
    amount_cents: int
    title: str
    state: InitiativeState
    went_on_to: str | None
    usable_until: dt.datetime | None

    def sort_key(self) -> tuple[int, str, str]:
        """The same for all whose mail differs in the number of the receipt only."""
        return self.amount_cents, self.went_on_to or "", self.usable_until.isoformat() if self.usable_until else ""


def of_initiative(session: Session, initiative_id: int) -> list[Update]:
    """All updates as organisers see them: drafts first, then the newest; without drafts that were thrown away."""
    was_thrown_away = (Update.state == UpdateState.REMOVED.value) & Update.posted_at.is_(None)
    query = select(Update).where(Update.initiative_id == initiative_id, ~was_thrown_away)
    return list(session.scalars(query.order_by(Update.posted_at.desc().nulls_first(), Update.id.desc())))


def find(session: Session, update_id: int) -> Update | None:
    """An update, or None."""
    return session.get(Update, update_id) if 0 < update_id < 2**63 else None


def posted_page(session: Session, initiative_id: int, number: int) -> Page[Update]:
    """A page of what stands on the page of an initiative, newest first."""
    posted = (Update.initiative_id == initiative_id, Update.state == UpdateState.POSTED.value)
    total = session.scalar(select(func.count()).select_from(Update).where(*posted)) or 0
    window = page_of(total, number, PAGE_SIZE)
    query = select(Update).where(*posted).order_by(Update.posted_at.desc(), Update.id.desc())
    items = list(session.scalars(query.limit(PAGE_SIZE).offset(window.offset)))
    return Page(items=items, number=window.number, pages=window.pages, total=total)


def thanks_of(session: Session, initiative_id: int) -> Thanks | None:
    """What the organisers said to the givers, or None."""
    return session.get(Thanks, initiative_id)


def title_of(session: Session, initiative_id: int) -> str:
    """The title of an initiative."""
    return session.scalars(select(Initiative.title).where(Initiative.id == initiative_id)).one()


def news_recipients(session: Session, initiative_id: int) -> list[tuple[str, int]]:
    """The addresses that get news of an initiative, each once, with a gift from there; for showing and for sending.

    An address that no mail server would take is left out.
    """
    rows = session.execute(
        select(Donation.giver_email, func.max(Donation.id))
        .outerjoin(NewsStop, NewsStop.donation_id == Donation.id)
        .where(
            Donation.initiative_id == initiative_id,
            Donation.state == DonationState.CONFIRMED.value,
            Donation.giver_email.is_not(None),
            NewsStop.donation_id.is_(None),
        )
        .group_by(Donation.giver_email)
        .order_by(func.max(Donation.id))
    )
    return sorted({_readable(email): gift for email, gift in rows if _readable(email)}.items(), key=lambda one: one[1])


def _readable(email: str | None) -> str:
    try:
        return read_address(email or "")
    except ValueError:
        return ""


def organiser_addresses(session: Session, initiative_id: int, *, but: int | None = None) -> list[str]:
    """Where mail to the organisers who confirmed goes; ``but`` is an account that need not be told."""
    query = select(Organiser.email).where(
        Organiser.initiative_id == initiative_id, Organiser.confirmed_at.is_not(None), Organiser.forgotten_at.is_(None)
    )
    if but is not None:
        query = query.where(Organiser.account_id.is_distinct_from(but))
    return [email for email in map(_readable, session.scalars(query.order_by(Organiser.id))) if email]


def gifts_of_same_giver(session: Session, donation_id: int) -> list[int]:
    """The gifts to the same initiative from the same address, this one included."""
    asked = aliased(Donation)
    return list(
        session.scalars(
            select(Donation.id)
            .join(asked, (asked.initiative_id == Donation.initiative_id))
            .where(asked.id == donation_id, func.lower(Donation.giver_email) == func.lower(asked.giver_email))
            .order_by(Donation.id)
        )
    )


def initiative_of_gift(session: Session, donation_id: int) -> tuple[int, str] | None:
    """The number and title of the initiative of a gift whose giver left an address, or None."""
    row = session.execute(
        select(Initiative.id, Initiative.title)
        .join(Donation, Donation.initiative_id == Initiative.id)
        .where(Donation.id == donation_id, Donation.giver_email.is_not(None))
    ).first()
    return None if row is None else (row.id, row.title)


def returned_untold(session: Session, initiative_id: int, returned_at: dt.datetime) -> list[ReturnedGift]:
    """Vouchers that came back at this moment, of givers who left an address and were not told. One query."""
    present, destination = aliased(Donation), aliased(Initiative)
    was_told = select(OutgoingMail.id).where(OutgoingMail.event == func.concat("gift-returned:", Donation.id)).exists()
    rows = session.execute(
        select(
            Donation.id,
            Donation.giver_email,
            Donation.reference,
            Donation.amount_cents,
            Initiative.title,
            Initiative.state,
            destination.title.label("went_on_to"),
            func.coalesce(Voucher.usable_until, Round.closes_at).label("usable_until"),
        )
        .join(Initiative, Initiative.id == Donation.initiative_id)
        .join(Voucher, Voucher.id == Donation.voucher_id)
        .join(Round, Round.id == Voucher.round_id)
        .outerjoin(present, (present.voucher_id == Voucher.id) & (present.state == DonationState.CONFIRMED.value))
        .outerjoin(destination, destination.id == present.initiative_id)
        .where(
            Donation.initiative_id == initiative_id,
            Donation.kind == DonationKind.VOUCHER.value,
            Donation.state == DonationState.RETURNED.value,
            Donation.returned_at == returned_at,
            Donation.giver_email.is_not(None),
            ~was_told,
        )
    )
    return [
        ReturnedGift(
            id=row.id,
            email=_readable(row.giver_email),
            reference=row.reference,
            amount_cents=row.amount_cents,
            title=row.title,
            state=InitiativeState(row.state),
            went_on_to=row.went_on_to,
            usable_until=None if row.went_on_to else row.usable_until,
        )
        for row in rows
        if _readable(row.giver_email)
    ]


def funded_untold(session: Session, now: dt.datetime) -> list[int]:
    """Initiatives that reached their target lately, and whose people were not told yet."""
    was_told = (
        select(Event.id)
        .where(
            Event.subject == "initiative",
            Event.subject_id == Initiative.id,
            Event.kind == "initiative.funding_told",
        )
        .exists()
    )
    states: Sequence[str] = [state.value for state in THANKING_STATES]
    query = select(Initiative.id).where(
        Initiative.state.in_(states), Initiative.ended_at > now - TOLD_WITHIN, Initiative.ended_at <= now, ~was_told
    )
    return list(session.scalars(query.order_by(Initiative.id)))
