# SPDX-License-Identifier: EUPL-1.2
"""The verbs of who asks for money: request it, correct the bank details, take it back; and of what stops it (rule 8).

Locks, everywhere in this room: the initiative, then the payout. Every step writes an event of the payout, and one of
the initiative for its history; neither ever holds a name or an account number.
"""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass, field

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform import events, sealing
from abs_platform.actors import Actor
from abs_platform.database import on_violation
from abs_platform.errors import Conflict, InvalidInput, NotAllowed, NotFound
from abs_platform.initiatives.permissions import Subject
from abs_platform.initiatives.service import lock
from abs_platform.initiatives.subjects import subject_of
from abs_platform.lives import check_move
from abs_platform.money import format_euros
from abs_platform.payouts import permissions, queries
from abs_platform.payouts.models import Payout
from abs_platform.payouts.permissions import PAYABLE_STATES, Hands
from abs_platform.payouts.states import LIVING_STATES, TRANSITIONS, HolderKind, PayoutState
from abs_platform.payouts.telling import tell
from abs_platform.users import User

PURPOSE = "iban"  # of sealing; the owner is the initiative
_LIVING = tuple(state.value for state in LIVING_STATES)


def _one_at_a_time() -> Conflict:
    return Conflict(_("Er loopt al een uitbetaling voor dit initiatief. Wacht tot die klaar is, of pas die aan."))


on_violation("uq_payouts_one_living", _one_at_a_time)


@dataclass(frozen=True, slots=True, kw_only=True)
class BankDetails:
    """What the initiator filled in. ``iban`` is checked and has no spaces (schemas.py); "" keeps the one there is."""

    amount_cents: int
    iban: str = field(repr=False)
    holder_name: str = field(repr=False)
    holder_kind: HolderKind


def mask(iban: str) -> str:
    """An account number as pages show it: "NL91 •••• •••• 4300"."""
    return f"{iban[:4]} •••• •••• {iban[-4:]}"


def in_groups(iban: str) -> str:
    """A whole account number as it is checked by eye: "NL91 ABNA 0417 1643 00"."""
    return " ".join(iban[start : start + 4] for start in range(0, len(iban), 4))


def request(
    session: Session, initiative_id: int, details: BankDetails, *, user: User, secret_key: str, now: dt.datetime
) -> int:
    """The initiator asks for the money; returns the payout.

    Raises: NotFound, Conflict when one is on its way or there is nothing to pay, InvalidInput.
    """
    lock(session, initiative_id)
    subject = subject_of(session, initiative_id)
    if not permissions.can_request(user, subject):
        raise NotFound(_("Een uitbetaling vragen kan de initiatiefnemer, als het bedrag binnen is."))
    if living(session, initiative_id) is not None:
        raise _one_at_a_time()
    if queries.is_in_doubt(session, initiative_id):
        raise Conflict(_("De vorige uitbetaling kwam terug. Financiën kijkt er eerst naar. Probeer het later opnieuw."))
    _check_amount(session, initiative_id, details.amount_cents)
    if not details.iban:
        raise InvalidInput(_("Vul het rekeningnummer in."), fields={"iban": _("Vul het rekeningnummer in.")})
    payout = Payout(
        initiative_id=initiative_id,
        amount_cents=details.amount_cents,
        state=PayoutState.REQUESTED.value,
        state_changed_at=now,
        holder_name=details.holder_name,
        holder_kind=details.holder_kind.value,
        requested_at=now,
        requested_by_id=user.account_id,
        end_to_end_id=f"UB-{secrets.token_hex(8).upper()}",
    )
    _put_iban(payout, details.iban, secret_key)
    session.add(payout)
    session.flush()
    note(session, payout, "requested", actor=user.actor(), now=now, amount_cents=details.amount_cents)
    return payout.id


def correct(
    session: Session,
    payout_id: int,
    details: BankDetails,
    *,
    version: int,
    user: User,
    secret_key: str,
    now: dt.datetime,
) -> bool:
    """The initiator changes the bank details or the amount: whatever was confirmed or approved starts over.

    False when nothing changed of what waits already. Raises: NotFound, Conflict, InvalidInput.
    """
    payout, subject = locked(session, payout_id)
    if not permissions.can_change(user, subject, hands_of(payout)):
        raise _too_late(payout, user, subject)
    check_version(payout, version)
    _check_amount(session, payout.initiative_id, details.amount_cents)
    before = (payout.iban_digest, payout.holder_name, payout.holder_kind, payout.amount_cents)
    if details.iban:
        _put_iban(payout, details.iban, secret_key)
    payout.holder_name, payout.holder_kind = details.holder_name, details.holder_kind.value
    payout.amount_cents = details.amount_cents
    is_same = before == (payout.iban_digest, payout.holder_name, payout.holder_kind, payout.amount_cents)
    if is_same and payout.state != PayoutState.INCOMPLETE:
        return False
    step(payout, PayoutState.REQUESTED, now)
    payout.version += 1
    payout.requested_at, payout.requested_by_id = now, user.account_id
    payout.confirmed_at = payout.confirmed_by_id = payout.approved_at = payout.approved_by_id = None
    payout.remark = ""
    note(session, payout, "corrected", actor=user.actor(), now=now, amount_cents=details.amount_cents)
    return True


def take_back(session: Session, payout_id: int, *, user: User, now: dt.datetime) -> None:
    """The initiator takes the request back, until it is on its way to the bank. Raises: NotFound, Conflict."""
    payout, subject = locked(session, payout_id)
    if not permissions.can_change(user, subject, hands_of(payout)):
        raise _too_late(payout, user, subject)
    step(payout, PayoutState.REFUSED, now)
    payout.remark = _("Ingetrokken door de initiatiefnemer.")
    note(session, payout, "taken_back", actor=user.actor(), now=now)


def refuse_living(session: Session, initiative_id: int, *, reason: str, actor: Actor, now: dt.datetime) -> int:
    """Refuse what is not yet on its way to the bank, because the initiative ended; returns how many that were.

    Locks: the initiative (also when the caller holds it already), then the payout.
    """
    lock(session, initiative_id)
    payout = living(session, initiative_id)
    if payout is None or payout.state == PayoutState.EXPORTED:
        return 0
    step(payout, PayoutState.REFUSED, now)
    payout.remark = reason
    note(session, payout, "refused", actor=actor, now=now, reason=reason)
    tell(session, "payout_refused", payout, now=now, reason=reason)
    return 1


def refuse_leaving(session: Session, account_id: int) -> None:
    """Raises: Conflict for who asked for money that is still on its way: somebody must hear what became of it."""
    titles = queries.living_of_account(session, account_id)
    if titles:
        raise Conflict(
            _(
                "Je vroeg een uitbetaling aan die nog loopt: %(titles)s. Wacht tot het geld er is, of trek de aanvraag "
                "in. Daarna kun je je account verwijderen.",
                titles=", ".join(titles),
            )
        )


# -- what all verbs of this room begin and end with -----------------------------------------------------------------


def locked(session: Session, payout_id: int) -> tuple[Payout, Subject]:
    """A payout for this transaction alone, and its initiative as permissions see it now.

    Locks: the initiative, then the payout. Raises: NotFound.
    """
    is_known = 0 < payout_id < 2**63
    found = session.scalar(select(Payout.initiative_id).where(Payout.id == payout_id)) if is_known else None
    if found is None:
        raise NotFound(_("Deze uitbetaling is er niet (meer)."))
    lock(session, found)
    payout = session.get_one(Payout, payout_id, with_for_update=True, populate_existing=True)
    return payout, subject_of(session, found)


def living(session: Session, initiative_id: int) -> Payout | None:
    """The payout of an initiative that may still become money, for this transaction. Lock the initiative first."""
    query = select(Payout).where(Payout.initiative_id == initiative_id, Payout.state.in_(_LIVING))
    return session.scalar(query.with_for_update().execution_options(populate_existing=True))


def hands_of(payout: Payout) -> Hands:
    """What permissions look at."""
    return Hands(PayoutState(payout.state), payout.requested_by_id, payout.confirmed_by_id)


def check_version(payout: Payout, version: int) -> None:
    """Raises: Conflict when the bank details changed after somebody looked."""
    if payout.version != version:
        raise Conflict(_("De initiatiefnemer heeft de gegevens intussen veranderd. Bekijk ze opnieuw."))


def step(payout: Payout, target: PayoutState, now: dt.datetime) -> None:
    """Take one step of the life. Raises: InvalidTransition."""
    check_move(TRANSITIONS, PayoutState(payout.state), target, _("de uitbetaling"))
    payout.state, payout.state_changed_at = target.value, now


def note(
    session: Session,
    payout: Payout,
    what: str,
    *,
    actor: Actor,
    now: dt.datetime,
    reason: str | None = None,
    **details: int,
) -> None:
    """Write the step down, with the payout and in the history of its initiative."""
    session.flush()
    events.record(
        session, f"payout.{what}", payout.id, actor=actor, now=now, reason=reason, version=payout.version, **details
    )
    events.record(
        session,
        f"initiative.payout_{what}",
        payout.initiative_id,
        actor=actor,
        now=now,
        reason=reason,
        payout=payout.id,
    )
    session.flush()


def iban_of(payout: Payout, secret_key: str) -> str:
    """The account number itself. Raises: Conflict when the key of the app is another one than it was sealed with."""
    opened = sealing.unseal(secret_key, PURPOSE, str(payout.initiative_id), payout.iban_sealed)
    if opened is None:
        raise Conflict(
            _("Dit rekeningnummer is niet meer te lezen. Vraag de initiatiefnemer om het opnieuw in te vullen.")
        )
    return opened.decode()


def refuse_if_changed_initiative(subject: Subject) -> None:
    """Raises: Conflict when the initiative ended, so that its money stays here."""
    if subject.state not in PAYABLE_STATES:
        raise Conflict(_("Dit initiatief is '%(state)s'. De uitbetaling gaat niet verder.", state=subject.state.label))


def _put_iban(payout: Payout, iban: str, secret_key: str) -> None:
    """Seal it anew only when it is another one: the same number sealed twice does not look the same."""
    digest = sealing.fingerprint(secret_key, PURPOSE, iban)
    if payout.iban_digest == digest:
        return
    payout.iban_sealed = sealing.seal(secret_key, PURPOSE, str(payout.initiative_id), iban.encode())
    payout.iban_digest, payout.iban_masked = digest, mask(iban)


def _check_amount(session: Session, initiative_id: int, amount_cents: int) -> None:
    """Up to what the books hold for the initiative: so its account never goes below zero."""
    most = queries.available_of(session, initiative_id)
    if most <= 0:
        raise Conflict(_("Er is geen geld (meer) voor dit initiatief om uit te betalen."))
    if not 0 < amount_cents <= most:
        message = _("Vul een bedrag in van € 0,01 tot en met %(most)s.", most=format_euros(most))
        raise InvalidInput(message, fields={"amount": message})


def _too_late(payout: Payout, user: User, subject: Subject) -> Conflict | NotFound | NotAllowed:
    if permissions.can_request(user, subject):
        state = PayoutState(payout.state).label
        return Conflict(_("Dit kan niet meer: de uitbetaling is '%(state)s'.", state=state))
    return NotFound(_("Deze uitbetaling is er niet (meer), of hij is niet van jou."))


def believe(session: Session, payout_id: int, *, by_id: int) -> None:
    """A colleague looked too: this payout really came back, and its money is free again.

    Locks: the payout. Raises: NotAllowed for who said so herself.
    """
    payout = session.get_one(Payout, payout_id, with_for_update=True, populate_existing=True)
    if not payout.is_doubtful:
        return
    said = events.latest_of(session, "payout", payout_id, {"payout.bounced"})
    if said is None or said.actor == str(Actor("staff", str(by_id))):
        raise NotAllowed(_("Je boekte deze uitbetaling zelf als teruggekomen. Een collega moet ook kijken."))
    payout.is_doubtful = False
    session.flush()
