# SPDX-License-Identifier: EUPL-1.2
"""The file for the bank: one of finance makes it, another releases it, and only then it can be downloaded (rule 8).

A payout is in one living batch only: it is EXPORTED with the number of that batch, or it is in none. Nothing is made,
released or handed out while the last proof of the books found a breach, or for an initiative that ended, or while a
line of the bank about the payout waits to be looked at; and nobody has a hand in a file with a payout of an initiative
of their own, or with one that they confirmed at the desk.

Locks, everywhere in this room: the initiatives (shared, in the order of their numbers), then the payouts, then the
batch.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from flask_babel import gettext as _
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.actors import Actor
from abs_platform.clock import local_date
from abs_platform.database import on_violation
from abs_platform.errors import Conflict, InvalidInput, NotAllowed, NotFound
from abs_platform.finance.queries import books_are_broken, is_payout_in_question
from abs_platform.initiatives.permissions import Subject
from abs_platform.initiatives.subjects import subject_of
from abs_platform.lives import check_move
from abs_platform.payment_settings import BankAccount
from abs_platform.payouts import batch_queries, queries
from abs_platform.payouts.batch_files import agrees, file_of, opened, sealed, transfer_of
from abs_platform.payouts.models import Payout, PayoutBatch
from abs_platform.payouts.permissions import PAYABLE_STATES, can_see_as_finance
from abs_platform.payouts.sepa import next_banking_day
from abs_platform.payouts.service import note, step
from abs_platform.payouts.states import BATCH_TRANSITIONS, BatchState, PayoutState
from abs_platform.users import User

MOST_PAYOUTS = 500
_ENDED = (PayoutState.PAID, PayoutState.BOUNCED)


def _released_by_maker() -> NotAllowed:
    return NotAllowed(_("Jij hebt deze betaalopdracht gemaakt. Een collega van financiën geeft hem vrij."))


on_violation("ck_payout_batches_released_by_another", _released_by_maker)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchFile:
    """What goes to the bank."""

    name: str
    sha256: str
    content: bytes = field(repr=False)


def make_batch(
    session: Session,
    payout_ids: Collection[int],
    *,
    account: BankAccount | None,
    secret_key: str,
    user: User,
    now: dt.datetime,
) -> int:
    """Put approved payouts into one file; returns the batch. The file is sealed until another releases it.

    Raises: InvalidInput when nothing was chosen, NotFound, NotAllowed, Conflict when one of them cannot be paid (now).
    """
    own = _ready(session, account)
    if not 0 < len(set(payout_ids)) <= MOST_PAYOUTS:
        message = _("Kies 1 tot en met %(most)s uitbetalingen.", most=MOST_PAYOUTS)
        raise InvalidInput(message, fields={"payouts": message})
    payouts = _locked(session, payout_ids)
    if len(payouts) != len(set(payout_ids)):
        raise NotFound(_("Een van deze uitbetalingen is er niet (meer)."))
    for payout in payouts:
        if payout.state != PayoutState.APPROVED:
            raise Conflict(_("Een uitbetaling die je koos is intussen veranderd. Kies opnieuw."))
        _check_payable(session, payout, user)
    transfers = [transfer_of(session, payout, secret_key) for payout in payouts]
    message_id = f"ABS-{local_date(now):%Y%m%d}-{secrets.token_hex(4).upper()}"
    execution_on = next_banking_day(local_date(now))
    content = file_of(transfers, own, message_id, now, execution_on)
    batch = PayoutBatch(
        message_id=message_id,
        state=BatchState.MADE.value,
        payout_count=len(transfers),
        sum_cents=sum(one.amount_cents for one in transfers),
        execution_on=execution_on,
        sealed_file=sealed(content, message_id, secret_key),
        sha256=hashlib.sha256(content).hexdigest(),
        made_at=now,
        made_by_id=user.account_id,
    )
    session.add(batch)
    session.flush()
    for payout in payouts:
        step(payout, PayoutState.EXPORTED, now)
        payout.batch_id = batch.id
        note(session, payout, "exported", actor=user.actor(), now=now, batch=batch.id)
    _note(session, batch, "made", user.actor(), now, payout_ids=[payout.id for payout in payouts], sha256=batch.sha256)
    return batch.id


def release(
    session: Session, batch_id: int, *, account: BankAccount | None, secret_key: str, user: User, now: dt.datetime
) -> None:
    """Another of finance agrees: the file may go to the bank. It is opened and compared with the payouts once more.

    Raises: NotFound, NotAllowed for the maker and for organisers, Conflict.
    """
    own = _ready(session, account)
    batch, payouts = _locked_batch(session, batch_id)
    _check_move(batch, BatchState.RELEASED)
    if user.account_id == batch.made_by_id:
        raise _released_by_maker()
    for payout in payouts:
        if payout.state != PayoutState.EXPORTED:
            raise Conflict(_("Een uitbetaling in dit bestand is intussen veranderd. Trek deze opdracht in."))
        _check_payable(session, payout, user)
    if batch.execution_on < local_date(now):
        raise Conflict(_("De dag waarop de bank moest betalen is voorbij. Trek deze opdracht in en maak een nieuwe."))
    transfers = [transfer_of(session, payout, secret_key) for payout in payouts]
    if not agrees(opened(batch, secret_key), transfers, own):
        raise Conflict(_("Het bestand klopt niet meer met de uitbetalingen. Trek deze opdracht in en maak een nieuwe."))
    batch.state, batch.released_at, batch.released_by_id = BatchState.RELEASED.value, now, user.account_id
    _note(session, batch, "released", user.actor(), now, sha256=batch.sha256)


def download(session: Session, batch_id: int, *, secret_key: str, user: User, now: dt.datetime) -> BatchFile:
    """The file as it was made, for who takes it to the bank; that it was taken is written down.

    Raises: NotFound, NotAllowed, Conflict when it was not released, or may not go to the bank now.
    """
    batch, payouts = _locked_batch(session, batch_id)
    _refuse_organisers(session, payouts, user)
    if batch.state not in {BatchState.RELEASED, BatchState.SETTLED}:
        raise Conflict(_("Deze betaalopdracht is niet vrijgegeven. Daarom kun je het bestand niet downloaden."))
    if batch.state == BatchState.RELEASED:
        _refuse_while_broken(session)
        for payout in payouts:
            if payout.state == PayoutState.EXPORTED:
                _check_payable(session, payout, user)
    content = opened(batch, secret_key)
    _note(session, batch, "downloaded", user.actor(), now, sha256=batch.sha256)
    return BatchFile(name=f"{batch.message_id}.xml", sha256=batch.sha256, content=content)


def cancel(
    session: Session, batch_id: int, *, reason: str, is_surely_not_executed: bool, user: User, now: dt.datetime
) -> None:
    """Take a file back: its payouts are approved again, and can go into another.

    A released file may be at the bank already: then somebody must say that the bank surely did not and will not
    execute it, or it would be paid twice. Raises: NotFound, NotAllowed, Conflict, InvalidInput.
    """
    batch, payouts = _locked_batch(session, batch_id)
    was_released = batch.state == BatchState.RELEASED
    _refuse_organisers(session, payouts, user)
    _check_move(batch, BatchState.CANCELLED)
    if any(payout.state in _ENDED for payout in payouts):
        raise Conflict(_("De bank heeft al een uitbetaling uit deze opdracht verwerkt. Intrekken kan niet meer."))
    missing = {}
    if not reason.strip():
        missing["reason"] = _("Geef een reden.")
    if was_released and not is_surely_not_executed:
        missing["is_surely_not_executed"] = _("Vraag het na bij de bank, en kruis aan dat zij dit niet uitvoert.")
    if missing:
        raise InvalidInput(" ".join(missing.values()), fields=missing)
    for payout in payouts:
        step(payout, PayoutState.APPROVED, now)
        payout.batch_id = None
        note(session, payout, "export_cancelled", actor=user.actor(), now=now, batch=batch.id)
    batch.state, batch.ended_at, batch.remark = BatchState.CANCELLED.value, now, reason.strip()
    _note(session, batch, "cancelled", user.actor(), now, reason=reason.strip(), was_released=was_released)


def settle_if_done(session: Session, batch_id: int | None, *, actor: Actor, now: dt.datetime) -> bool:
    """End a batch of which the bank did everything; says whether it did. Called after each payout that ends.

    Locks: the batch; the caller holds the payout.
    """
    if batch_id is None:
        return False
    session.flush()
    batch = session.get_one(PayoutBatch, batch_id, with_for_update=True, populate_existing=True)
    states = set(session.scalars(select(Payout.state).where(Payout.batch_id == batch_id)))
    if batch.state != BatchState.RELEASED or not states <= set(_ENDED):
        return False
    batch.state, batch.ended_at = BatchState.SETTLED.value, now
    _note(session, batch, "settled", actor, now)
    return True


# -- what the verbs above begin and end with ------------------------------------------------------------------------


def _ready(session: Session, account: BankAccount | None) -> BankAccount:
    _refuse_while_broken(session)
    if account is None:
        raise Conflict(_("De rekening van de gemeente is niet ingesteld. Zonder die rekening kun je niet uitbetalen."))
    return account


def _refuse_while_broken(session: Session) -> None:
    if books_are_broken(session):
        raise Conflict(
            _("De boeken kloppen niet: de laatste controle vond een fout. Tot dat is opgelost kan dit niet.")
        )


def _locked(session: Session, payout_ids: Collection[int]) -> list[Payout]:
    chosen = Payout.id.in_(payout_ids)
    initiative_ids = list(session.scalars(select(Payout.initiative_id).where(chosen).distinct()))
    session.execute(text("SELECT FROM initiatives WHERE id = ANY(:ids) ORDER BY id FOR SHARE"), {"ids": initiative_ids})
    query = select(Payout).where(chosen).order_by(Payout.id).with_for_update()
    return list(session.scalars(query.execution_options(populate_existing=True)))


def _locked_batch(session: Session, batch_id: int) -> tuple[PayoutBatch, list[Payout]]:
    ids = list(session.scalars(select(Payout.id).where(Payout.batch_id == batch_id))) if batch_id < 2**63 else []
    payouts = _locked(session, ids)
    query = select(PayoutBatch).where(PayoutBatch.id == batch_id).with_for_update()
    batch = session.scalar(query.execution_options(populate_existing=True)) if batch_id < 2**63 else None
    if batch is None:
        raise NotFound(_("Deze betaalopdracht is er niet."))
    return batch, payouts


def _refuse_organisers(session: Session, payouts: Sequence[Payout], user: User) -> None:
    for payout in payouts:
        _subject_for(session, payout, user)


def _subject_for(session: Session, payout: Payout, user: User) -> Subject:
    subject = subject_of(session, payout.initiative_id)
    if not can_see_as_finance(user, subject):
        raise NotAllowed(_("Je organiseert zelf '%(title)s'. Laat dit een collega doen.", title=subject.title))
    return subject


def _check_payable(session: Session, payout: Payout, user: User) -> None:
    """Money goes only to an initiative that goes on, and that has it; and by none who asked for it or confirmed it."""
    subject = _subject_for(session, payout, user)
    if user.account_id in {payout.requested_by_id, payout.confirmed_by_id}:
        raise NotAllowed(
            _("Je had de uitbetaling aan '%(title)s' al in handen. Laat een collega dit doen.", title=subject.title)
        )
    if subject.state not in PAYABLE_STATES:
        raise Conflict(
            _("'%(title)s' is %(state)s en wordt niet betaald.", title=subject.title, state=subject.state.label)
        )
    if is_payout_in_question(session, payout.id, batch_queries.files_of(session, payout.id)):
        raise Conflict(
            _(
                "Een afschrift van de bank klopt niet met de uitbetaling aan '%(title)s'. Zie de taak.",
                title=subject.title,
            )
        )
    if payout.amount_cents > queries.balance_of(session, payout.initiative_id):
        raise Conflict(_("In de boeken staat te weinig voor '%(title)s'. Zoek dat eerst uit.", title=subject.title))
    if payout.amount_cents > queries.available_of(session, payout.initiative_id):
        raise Conflict(
            _(
                "Iemand maakte bezwaar tegen een gift aan '%(title)s'. Wacht tot daarover is beslist.",
                title=subject.title,
            )
        )


def _check_move(batch: PayoutBatch, target: BatchState) -> None:
    check_move(BATCH_TRANSITIONS, BatchState(batch.state), target, _("de betaalopdracht"))


def _note(
    session: Session,
    batch: PayoutBatch,
    what: str,
    actor: Actor,
    now: dt.datetime,
    *,
    reason: str | None = None,
    **details: object,
) -> None:
    session.flush()
    events.record(session, f"payout_batch.{what}", batch.id, actor=actor, now=now, reason=reason, **details)
    session.flush()
