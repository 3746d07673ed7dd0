# SPDX-License-Identifier: EUPL-1.2
"""What who confirms or approves a payout must know beside the button; it says that something is so, never of whom."""

from __future__ import annotations

import datetime as dt

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from abs_platform.accounts.models import Account
from abs_platform.initiatives.models import Organiser
from abs_platform.initiatives.permissions import Subject
from abs_platform.money import format_euros
from abs_platform.municipality import Rules
from abs_platform.payments.queries import disputed_cents
from abs_platform.payouts.models import Payout, StatementLine
from abs_platform.payouts.queries import PayoutView, paid_out_of
from abs_platform.payouts.sepa import LONGEST_NAME, clean
from abs_platform.payouts.states import HolderKind, LineOutcome, PayoutState
from abs_platform.users import User

LEAST_NAME_PART = 3


def warnings_of(session: Session, payout: PayoutView, subject: Subject, *, user: User, rules: Rules) -> list[str]:
    """Sentences for who is about to decide, the gravest first. Seven queries."""
    return [
        *_same_number(session, payout, subject),
        *_same_name(payout, user),
        *_not_seen_back(session, payout),
        *_disputed(session, payout),
        *_above_budget(session, payout),
        *_first_of_a_person(session, payout),
        *_young_account(session, payout, rules),
        *_odd_details(payout),
    ]


def not_as_typed(holder_name: str) -> str:
    """How a bank would get a name that has signs no bank takes; "" when it takes all of them."""
    sent = clean(holder_name, LONGEST_NAME)
    return sent if sent != holder_name else ""


def _same_number(session: Session, payout: PayoutView, subject: Subject) -> list[str]:
    """Where else this account number was filled in, and whether the same people stand behind it."""
    own_digest = select(Payout.iban_digest).where(Payout.id == payout.id).scalar_subquery()
    elsewhere = (Payout.iban_digest == own_digest) & (Payout.initiative_id != payout.initiative_id)
    found = set(session.scalars(select(Payout.initiative_id).where(elsewhere).distinct()))
    if not found:
        return []
    is_same_person: ColumnElement[bool] = or_(
        Organiser.account_id.in_(subject.organiser_ids), Organiser.email.in_(subject.organiser_emails)
    )
    shared = select(func.count(Organiser.initiative_id.distinct())).where(
        Organiser.initiative_id.in_(found), Organiser.confirmed_at.is_not(None), is_same_person
    )
    by_them = session.scalars(shared).one()
    sentences = [
        ngettext(
            "Dit rekeningnummer staat ook bij %(num)s ander initiatief, van andere organisatoren.",
            "Dit rekeningnummer staat ook bij %(num)s andere initiatieven, van andere organisatoren.",
            len(found) - by_them,
        ),
        ngettext(
            "Dit rekeningnummer staat ook bij %(num)s ander initiatief van een organisator van dit initiatief.",
            "Dit rekeningnummer staat ook bij %(num)s andere initiatieven van organisatoren van dit initiatief.",
            by_them,
        ),
    ]
    return [sentence for sentence, number in zip(sentences, (len(found) - by_them, by_them), strict=True) if number]


def _same_name(payout: PayoutView, user: User) -> list[str]:
    """Whether the holder may be who is about to decide, or who decided before."""
    said = []
    if _is_like(user.name, payout.holder_name):
        said.append(_("De naam van de rekeninghouder lijkt op jouw naam. Laat dan een collega dit doen."))
    if _is_like(payout.confirmed_by, payout.holder_name):
        said.append(_("De naam van de rekeninghouder lijkt op die van wie dit bevestigde."))
    return said


def _is_like(name: str, holder: str) -> bool:
    """Whether the last part of a name, as a word, stands in the name of the holder."""
    parts = [part for part in name.casefold().replace("-", " ").split() if len(part) >= LEAST_NAME_PART]
    return bool(parts) and parts[-1] in holder.casefold().replace("-", " ").split()


def _not_seen_back(session: Session, payout: PayoutView) -> list[str]:
    """Whether the same money may be paid twice: it came back by the word of one person alone."""
    seen = select(StatementLine.id).where(
        StatementLine.end_to_end_id == Payout.end_to_end_id,
        StatementLine.is_credit,
        StatementLine.outcome != LineOutcome.DIFFERS.value,
    )
    of_this = (Payout.initiative_id == payout.initiative_id) & (Payout.state == PayoutState.BOUNCED.value)
    if session.scalar(select(Payout.id).where(of_this, ~seen.exists()).limit(1)) is None:
        return []
    return [_("Een eerdere uitbetaling is met de hand op 'teruggekomen' gezet. Op geen afschrift staat dat dit klopt.")]


def _disputed(session: Session, payout: PayoutView) -> list[str]:
    """Gifts with a card of somebody else are the cheapest way to make money of an initiative."""
    cents = disputed_cents(session, payout.initiative_id)
    if not cents:
        return []
    return [
        _(
            "Banken vragen %(amount)s aan giften terug: de gevers zeggen dat zij niet betaalden.",
            amount=format_euros(cents),
        )
    ]


def _above_budget(session: Session, payout: PayoutView) -> list[str]:
    together = payout.amount_cents + (
        0 if payout.state == PayoutState.PAID else paid_out_of(session, payout.initiative_id)
    )
    if together <= payout.target_cents:
        return []
    over, target = format_euros(together - payout.target_cents), format_euros(payout.target_cents)
    return [_("Dit is %(over)s meer dan het streefbedrag van %(target)s.", over=over, target=target)]


def _first_of_a_person(session: Session, payout: PayoutView) -> list[str]:
    if payout.holder_kind != HolderKind.PERSON:
        return []
    own_digest = select(Payout.iban_digest).where(Payout.id == payout.id).scalar_subquery()
    paid = select(Payout.id).where(
        Payout.iban_digest == own_digest, Payout.state == PayoutState.PAID.value, Payout.id != payout.id
    )
    if session.scalar(paid.limit(1)) is not None:
        return []
    return [_("De rekening is van een persoon, en er is nog nooit naar deze rekening uitbetaald.")]


def _young_account(session: Session, payout: PayoutView, rules: Rules) -> list[str]:
    since = session.scalar(select(Account.created_at).where(Account.id == payout.requested_by_id))
    if since is None or payout.requested_at - since >= dt.timedelta(days=rules.young_account_days):
        return []
    days = max(0, (payout.requested_at - since).days)
    return [
        ngettext(
            "Het account van de aanvrager was bij de aanvraag pas %(num)s dag oud.",
            "Het account van de aanvrager was bij de aanvraag pas %(num)s dagen oud.",
            days,
        )
    ]


def _odd_details(payout: PayoutView) -> list[str]:
    said = []
    if payout.version > 1:
        times = payout.version - 1
        said.append(
            ngettext("De gegevens zijn %(num)s keer veranderd.", "De gegevens zijn %(num)s keer veranderd.", times)
        )
    if not payout.iban_masked.startswith("NL"):
        said.append(_("De rekening is van een bank in het buitenland (%(land)s).", land=payout.iban_masked[:2]))
    if sent := not_as_typed(payout.holder_name):
        said.append(_("De naam heeft tekens die banken niet kennen. De bank krijgt: %(name)s", name=sent))
    return said
