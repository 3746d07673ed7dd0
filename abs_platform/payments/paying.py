# SPDX-License-Identifier: EUPL-1.2
"""The edge of paying: write what was begun and commit, ask the provider for a checkout, remember it and commit.

No network call stands in a transaction. Killed between any two steps nothing is lost: the same form finds the payment
again and asks with the same idempotency key, and release_checkouts ends what nobody came back for. A voucher that is
given along is given in the first transaction, whole or not at all, and stays given whatever becomes of the payment.
"""

from __future__ import annotations

import dataclasses
import uuid
from dataclasses import dataclass

import structlog
from flask import current_app, flash, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.actors import GIVER
from abs_platform.config import Settings
from abs_platform.database import transaction
from abs_platform.donations.queries import gift_of_form
from abs_platform.donations.service import Gift, GiftDetails
from abs_platform.errors import NotFound, ProviderUnavailable, VoucherNotUsable
from abs_platform.initiatives.queries import title_of
from abs_platform.initiatives.service import close_if_funded
from abs_platform.languages import current_language
from abs_platform.payments.booking import book_checkout
from abs_platform.payments.port import Checkout, CheckoutRequest, CheckoutStatus, PaymentProvider, ProviderRefused
from abs_platform.payments.queries import checkout_of, room
from abs_platform.payments.service import MoneyGift, Started, attach_checkout, renew, start_gift
from abs_platform.payments.states import PaymentState
from abs_platform.rule_settings.service import current_rules
from abs_platform.security import request_client
from abs_platform.vouchers.giving import code_keys
from abs_platform.vouchers.redeeming import Client, redeem

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _First:
    """What the first transaction did: the payment, unless the voucher left nothing to pay or was refused."""

    started: Started | None = None
    voucher: Gift | None = None
    refused: VoucherNotUsable | None = None
    title: str = ""


def provider() -> PaymentProvider:
    """Whoever takes payments. Raises: NotFound where only vouchers are given."""
    found: PaymentProvider | None = current_app.extensions.get("payments")
    if found is None:
        raise NotFound(_("Hier kun je alleen vouchers geven, geen geld."))
    return found


def begin(initiative_id: int, gift: MoneyGift, *, voucher: int | None = None) -> str:
    """Begin to pay; returns the address to go to: the provider's page, or ours when there is nothing to pay there.

    ``voucher`` is the code (redeeming.parse_code) of a voucher that is given along. The same form sent again leads to
    the same checkout.
    Raises: InvalidInput (field amount), InitiativeNotOpen, VoucherNotUsable after the wrong code was counted, Conflict
    for a form that was used for something else, TooManyAttempts, ProviderUnavailable: nothing was paid.
    """
    take = provider()
    with transaction() as session:
        first = _write(session, initiative_id, gift, voucher)
    if first.refused is not None:
        raise first.refused
    if first.voucher is not None:
        with transaction() as session:
            close_if_funded(session, initiative_id, actor=GIVER, now=clock.now())
    if first.started is not None:
        return _checkout_url(take, first.started, initiative_id, first.title)
    flash(_("Met je voucher is het hele bedrag er. Er is niets meer te betalen."))
    return url_for("donations.receipt", reference=first.voucher.reference if first.voucher else "")


def url_of(reference: str) -> str | None:
    """The provider's page of a payment that can still be paid, or None. Raises: ProviderUnavailable."""
    with transaction() as session:
        checkout_id = checkout_of(session, reference)
    return None if checkout_id is None else _open_url(provider(), checkout_id)


def let_go(reference: str) -> None:
    """End a payment for which its giver begins another, so that both cannot be paid; what became of it is booked.

    Raises: ProviderUnavailable.
    """
    with transaction() as session:
        checkout_id = checkout_of(session, reference)
    if checkout_id is None:
        return
    try:
        checkout = provider().expire_checkout(checkout_id)
    except ProviderRefused:  # it was paid, or ended
        checkout = provider().get_checkout(checkout_id)
    now = clock.now()
    with transaction() as session:
        booked = book_checkout(session, checkout, actor=GIVER, now=now)
    if booked.confirmed_initiative_id is not None:
        with transaction() as session:
            close_if_funded(session, booked.confirmed_initiative_id, actor=GIVER, now=now)


def _write(session: Session, initiative_id: int, gift: MoneyGift, code: int | None) -> _First:
    """The first transaction. A refused voucher is returned and not raised, so that the wrong try is committed."""
    now, client = clock.now(), Client(*request_client())
    gift = dataclasses.replace(gift, language=current_language())
    voucher: Gift | None = None
    if code is not None:
        details = GiftDetails(
            giver_name=gift.giver_name,
            message=gift.message,
            giver_email=gift.giver_email,
            idempotency_key=uuid.uuid5(gift.idempotency_key, "voucher"),
        )
        answer = redeem(session, code, initiative_id, client, details, keys=code_keys(), rules=current_rules(), now=now)
        if answer.found is None:
            return _First(refused=answer.error)
        voucher = answer.found
        gift = dataclasses.replace(gift, message=None)  # it goes with the voucher, which is given already
        is_begun = gift_of_form(session, gift.idempotency_key) is not None
        if not is_begun and room(session, initiative_id, current_rules(), now).missing_cents == 0:
            return _First(voucher=voucher)
    started = start_gift(
        session,
        initiative_id,
        gift,
        rules=current_rules(),
        actor=GIVER,
        now=now,
        client=client.today,
        voucher_donation_id=None if voucher is None else voucher.donation_id,
    )
    return _First(started, voucher, title=title_of(session, initiative_id) or "")


def _checkout_url(take: PaymentProvider, started: Started, initiative_id: int, title: str) -> str:
    page = url_for("donations.receipt", reference=started.reference)
    if started.state != PaymentState.CREATED:
        return page
    if started.checkout_id is not None:
        return _open_url(take, started.checkout_id) or page
    checkout = _create(take, started, initiative_id, title)
    with transaction() as session:
        is_payable = attach_checkout(session, started.payment_id, checkout.id)
    return (checkout.url if is_payable else None) or page


def _create(take: PaymentProvider, started: Started, initiative_id: int, title: str) -> Checkout:
    """Ask for the checkout, for a form that comes back exactly as before: the provider knows it again by its key.

    If that is in vain (the half hour is too short by now, the provider takes no such e-mail address or keeps repeating
    an error of its own), it is asked for a fresh one, of which only what must be told is told. Should there be a first
    one after all, then nobody has its address, and it ends by itself.
    """
    site = _settings().base_url
    request = CheckoutRequest(
        reference=started.reference,
        amount_cents=started.amount_cents,
        description=_("Gift aan %(title)s", title=title),
        success_url=site + url_for("donations.receipt", reference=started.reference),
        cancel_url=site + url_for("payments.ask", initiative_id=initiative_id, terug=started.reference),
        expires_at=started.reserved_until,
        email=started.email,
        language=current_language(),
    )
    key = f"gift-{started.reference}"
    try:
        return take.create_checkout(request, idempotency_key=key)
    except ProviderRefused as refusal:
        log.warning("no checkout at first", reference=started.reference, code=refusal.code)
    except ProviderUnavailable as error:
        if started.is_new:
            raise _away(started) from error
    with transaction() as session:
        until = renew(session, started.payment_id, rules=current_rules(), now=clock.now())
    request = dataclasses.replace(request, expires_at=until, email=None)
    try:
        return take.create_checkout(request, idempotency_key=f"{key}-{int(until.timestamp())}")
    except (ProviderRefused, ProviderUnavailable) as error:
        raise _away(started) from error


def _open_url(take: PaymentProvider, checkout_id: str) -> str | None:
    """Where a checkout can be paid; None when it is over, or of an account that we have no more."""
    try:
        checkout = take.get_checkout(checkout_id)
    except ProviderRefused:
        return None
    return checkout.url if checkout.status == CheckoutStatus.OPEN else None


def _away(started: Started) -> ProviderUnavailable:
    """Whatever was wrong, only its sentence is for the giver: the adapter has logged the rest."""
    log.error("no checkout", reference=started.reference)
    return ProviderUnavailable(
        _("De betaaldienst antwoordt nu niet. Er is niets betaald. Probeer het over een paar minuten opnieuw.")
    )


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings
