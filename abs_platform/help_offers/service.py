# SPDX-License-Identifier: EUPL-1.2
"""The verbs of an offer of help: made, accepted, thanked for, withdrawn; each with at most one mail."""

from __future__ import annotations

import datetime as dt

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform import attempts, events, outbox
from abs_platform.actors import Actor
from abs_platform.database import on_violation
from abs_platform.errors import Conflict, NotFound
from abs_platform.help_offers import queries
from abs_platform.help_offers.models import HelpOffer
from abs_platform.help_offers.states import (
    DAY,
    HELPING_STATES,
    LIVING_STATES,
    OFFERS_PER_DAY,
    TRANSITIONS,
    OfferState,
)
from abs_platform.lives import check_move
from abs_platform.updates.mailing import tell_organisers


def _already() -> Conflict:
    return Conflict(_("Je hebt hier al hulp aangeboden. Bij 'Mijn hulp' zie je hoe het ermee staat."))


on_violation("uq_help_offers_one_living", _already)


def offer_help(
    session: Session,
    initiative_id: int,
    need_id: int,
    *,
    account_id: int,
    name: str,
    note: str,
    key: bytes,
    actor: Actor,
    now: dt.datetime,
) -> HelpOffer:
    """Offer what is asked for, and let the organisers see name and e-mail address.

    ``key`` is what the limit counts by. Raises: NotFound when it is not asked (any more), Conflict, TooManyAttempts.
    """
    need = queries.need(session, initiative_id, need_id)
    if need is None:
        raise NotFound(_("Deze hulp wordt niet (meer) gevraagd. Kijk op de pagina van het initiatief."))
    if need.state not in HELPING_STATES:
        raise Conflict(_("Dit initiatief zoekt geen hulp meer."))
    if queries.living_offer(session, need, account_id) is not None:
        raise _already()
    attempts.claim(session, "help.offer", key, most=OFFERS_PER_DAY, window=DAY, now=now)
    offer = HelpOffer(
        initiative_id=initiative_id,
        account_id=account_id,
        kind=need.kind.value,
        need=need.description,
        note=note,
        state=OfferState.OFFERED.value,
        offered_at=now,
        contact_shared_at=now,
    )
    session.add(offer)
    session.flush()
    events.record(session, "initiative.help_offered", initiative_id, actor=actor, now=now, offer=offer.id)
    tell_organisers(
        session,
        "help_offered",
        initiative_id,
        event=f"help-offered:{offer.id}",
        now=now,
        title=need.title,
        need=need.description,
        name=name,
        note=note,
        offers_url=outbox.site_url("help_offers.index", initiative_id=initiative_id),
    )
    return offer


def accept(session: Session, offer_id: int, *, actor: Actor, now: dt.datetime, by_id: int) -> None:
    """The organisers take the offer. Raises: InvalidTransition when it was answered or withdrawn meanwhile."""
    _answer(session, offer_id, OfferState.ACCEPTED, "help_accepted", actor=actor, now=now, by_id=by_id)


def thank(session: Session, offer_id: int, *, actor: Actor, now: dt.datetime, by_id: int) -> None:
    """The organisers thank for an offer that they do not need; the contact details are out of sight from then on."""
    _answer(session, offer_id, OfferState.THANKED, "help_thanked", actor=actor, now=now, by_id=by_id)


def _answer(
    session: Session,
    offer_id: int,
    target: OfferState,
    mail: str,
    *,
    actor: Actor,
    now: dt.datetime,
    by_id: int,
) -> None:
    found = _lock(session, offer_id)
    _step(found, target)
    found.answered_at, found.answered_by_id = now, by_id
    session.flush()
    shown = _shown(session, offer_id)
    events.record(session, f"initiative.help_{target.value}", shown.initiative_id, actor=actor, now=now, offer=offer_id)
    email = queries.address_of(session, offer_id)
    if email:
        outbox.queue(
            session,
            mail,
            to=email,
            event=f"help-{target.value}:{offer_id}",
            now=now,
            title=shown.title,
            need=shown.need,
            page_url=outbox.site_url("initiatives.show", initiative_id=shown.initiative_id),
            mine_url=outbox.site_url("help_offers.mine"),
        )


def withdraw(session: Session, offer_id: int, *, actor: Actor, now: dt.datetime) -> None:
    """Whoever offered thinks better of it. Doing so twice changes nothing. Raises: NotFound, InvalidTransition."""
    found = _lock(session, offer_id)
    if found.state == OfferState.WITHDRAWN:
        return
    was_accepted = found.state == OfferState.ACCEPTED
    _step(found, OfferState.WITHDRAWN)
    found.withdrawn_at = now
    session.flush()
    shown = _shown(session, offer_id)
    events.record(session, "initiative.help_withdrawn", shown.initiative_id, actor=actor, now=now, offer=offer_id)
    if was_accepted:  # they count on it
        tell_organisers(
            session,
            "help_withdrawn",
            shown.initiative_id,
            event=f"help-withdrawn:{offer_id}",
            now=now,
            title=shown.title,
            need=shown.need,
            name=shown.name,
            offers_url=outbox.site_url("help_offers.index", initiative_id=shown.initiative_id),
        )


def forget(session: Session, account_id: int, *, actor: Actor, now: dt.datetime) -> None:
    """An account goes: its offers that live are withdrawn, and what it wrote to organisers is gone."""
    for offer in session.scalars(
        select(HelpOffer).where(HelpOffer.account_id == account_id).order_by(HelpOffer.id).with_for_update()
    ):
        if OfferState(offer.state) in LIVING_STATES:
            withdraw(session, offer.id, actor=actor, now=now)
        offer.note = ""
    session.flush()


def _shown(session: Session, offer_id: int) -> queries.Offer:
    found = queries.find(session, offer_id)
    if found is None:
        raise NotFound(_("Dit aanbod bestaat niet (meer)."))
    return found


def _lock(session: Session, offer_id: int) -> HelpOffer:
    found = session.get(HelpOffer, offer_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound(_("Dit aanbod bestaat niet (meer)."))
    return found


def _step(offer: HelpOffer, target: OfferState) -> None:
    check_move(TRANSITIONS, OfferState(offer.state), target, _("het aanbod"))
    offer.state = target.value
