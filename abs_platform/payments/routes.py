# SPDX-License-Identifier: EUPL-1.2
"""Giving money: a form, for a voucher with it one question more, and then the page of the provider."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, current_app, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from marshmallow import ValidationError
from werkzeug.wrappers import Response as WerkzeugResponse

from abs_platform import clock
from abs_platform.config import Settings
from abs_platform.database import db
from abs_platform.donations.queries import gift_of_form
from abs_platform.donations.service import is_reference
from abs_platform.errors import (
    AbsError,
    Conflict,
    InitiativeNotOpen,
    InvalidInput,
    NotFound,
    ProviderUnavailable,
    TooManyAttempts,
    VoucherNotUsable,
)
from abs_platform.form_input import errors_of
from abs_platform.initiatives.queries import InitiativeCard, card
from abs_platform.money import parse_euros
from abs_platform.payments import paying, queries
from abs_platform.payments.queries import PaymentView
from abs_platform.payments.schemas import OTHER, load_gift, read_amount
from abs_platform.payments.service import MoneyGift, check_amount
from abs_platform.payments.states import METHODS, PaymentState
from abs_platform.rule_settings.service import current_rules
from abs_platform.security import public
from abs_platform.vouchers.giving import look_up_for_client
from abs_platform.vouchers.redeeming import parse_code

ID = "int(max=9223372036854775807)"
bp = Blueprint("payments", __name__)

Answer = Response | WerkzeugResponse
_KEPT = (
    *("amount", "own_amount", "giver_name", "message", "organisation_name", "shows_organisation"),
    *("receipt_email", "wants_news", "code", "instead_of"),
)
_UNPAID = {PaymentState.FAILED, PaymentState.EXPIRED}


@bp.get(f"/initiatieven/<{ID}:initiative_id>/geld")
@public
def ask(initiative_id: int) -> Answer:
    """The form. Who comes back from the provider without having paid (?terug=number) finds it filled in."""
    initiative = _initiative(initiative_id)
    begun = _begun_before(initiative_id, request.args.get("terug", ""))
    if begun is not None and begun.state not in {PaymentState.CREATED, *_UNPAID}:
        return redirect(url_for("donations.receipt", reference=begun.reference), HTTPStatus.SEE_OTHER)
    if not initiative.is_collecting:
        return redirect(url_for("initiatives.show", initiative_id=initiative_id, slug=initiative.slug))
    values = _as_begun(begun) if begun else _amount_values(request.args.get("bedrag", ""), initiative_id)
    return _form(initiative, values, begun=begun)


@bp.post(f"/initiatieven/<{ID}:initiative_id>/geld")
@public
def give(initiative_id: int) -> Answer:
    """Begin to pay, and go to the provider. A voucher that goes along is asked about first: that gift is final.

    With ``instead_of`` a payment that was begun before ends first; where that was paid after all, its receipt is shown.
    """
    initiative = _initiative(initiative_id)
    begun = _begun_before(initiative_id, request.form.get("instead_of", ""))
    if "back" in request.form:
        return _form(initiative, request.form, begun=begun)
    try:
        return _begin(initiative, begun)
    except VoucherNotUsable as error:
        return _form(initiative, request.form, {"code": error.message}, begun=begun, status=error.status)
    except InvalidInput as error:
        errors = _wrong_amount(initiative.id, begun) | errors_of(error)
        return _form(initiative, request.form, errors, begun=begun, status=error.status)
    except (ProviderUnavailable, TooManyAttempts) as error:
        return _form(initiative, request.form, errors_of(error), begun=begun, status=error.status)
    except InitiativeNotOpen:
        raise
    except Conflict as error:
        return _began_already(initiative, error)


def _begin(initiative: InitiativeCard, begun: PaymentView | None) -> Answer:
    gift = load_gift(request.form)
    payload = parse_code(request.form["code"]) if request.form.get("code", "").strip() else None
    if payload is not None and "is_sure" not in request.form:
        return _question(initiative, gift, payload, begun)
    if begun is not None and _is_going_on(begun.reference):
        url = url_for("donations.receipt", reference=begun.reference)
    else:
        url = paying.begin(initiative.id, gift, voucher=payload)
    return redirect(url, HTTPStatus.SEE_OTHER)


@bp.post("/giften/<reference>/betalen")
@public
def go_on(reference: str) -> Answer:
    """Back to the page of the provider of a payment that was begun, while that is open."""
    if not is_reference(reference):
        raise NotFound(_("Dit bewijs bestaat niet. Kijk of het nummer klopt."))
    url = paying.url_of(reference)
    if url is None:
        flash(_("Je kunt deze betaling niet meer afmaken. Hieronder zie je hoe het er nu voor staat."))
        return redirect(url_for("donations.receipt", reference=reference), HTTPStatus.SEE_OTHER)
    return redirect(url, HTTPStatus.SEE_OTHER)


def _is_going_on(reference: str) -> bool:
    """Whether a payment cannot be replaced by another: its money came, or is on its way."""
    paying.let_go(reference)
    left = queries.view(db.session(), reference)
    return left is not None and left.has_checkout and left.state not in _UNPAID


def _wrong_amount(initiative_id: int, begun: PaymentView | None) -> dict[str, str]:
    """What is wrong with an amount that can be read, so that it is told together with the rest."""
    try:
        cents = read_amount(request.form.get("amount", ""), request.form.get("own_amount", "").strip())
        check_amount(cents, _room(initiative_id, begun), current_rules())
    except ValidationError:
        return {}
    except InvalidInput as error:
        return dict(error.fields)
    return {}


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def _initiative(initiative_id: int) -> InitiativeCard:
    """The initiative to give to. Raises: NotFound, also where nobody can pay."""
    found = card(db.session(), initiative_id, today=clock.today()) if current_app.extensions.get("payments") else None
    if found is None:
        raise NotFound(_("Hier kun je geen geld geven. Zoek verder bij de initiatieven."))
    return found


def _begun_before(initiative_id: int, reference: str) -> PaymentView | None:
    found = queries.view(db.session(), reference) if is_reference(reference) else None
    return found if found is not None and found.initiative_id == initiative_id else None


def _as_begun(begun: PaymentView) -> dict[str, str]:
    """The form as it was filled in, but for what only the giver may know: that is not told to whoever has a number."""
    values = _amount_values(f"{begun.amount_cents / 100:.2f}", begun.initiative_id)
    name = begun.giver_name or ""
    names = {"organisation_name": name, "shows_organisation": "1"} if begun.is_organisation and name else {}
    return values | (names or {"giver_name": name}) | {"message": begun.message or ""}


def _amount_values(text: str, initiative_id: int) -> dict[str, str]:
    """An amount as the form has it: one of the cards, or typed."""
    try:
        cents = parse_euros(text)
    except ValueError:
        return {}
    euros = f"{cents // 100}" if cents % 100 == 0 else f"{cents // 100},{cents % 100:02d}"
    room = queries.room(db.session(), initiative_id, current_rules(), clock.now())
    if cents in queries.amounts_to_choose(room.highest_cents):
        return {"amount": euros}
    return {"amount": OTHER, "own_amount": euros} if cents else {}


def _form(
    initiative: InitiativeCard,
    values: Mapping[str, str],
    errors: Mapping[str, str] | None = None,
    *,
    begun: PaymentView | None = None,
    key: str = "",
    status: int = HTTPStatus.OK,
) -> Response:
    room = _room(initiative.id, begun)
    page = render_template(
        "payments/form.html",
        initiative=initiative,
        values=values,
        errors=_tidy(errors or {}, values),
        room=room,
        least_cents=current_rules().min_gift_cents,
        choices=queries.amounts_to_choose(room.highest_cents),
        methods=_methods(),
        begun=begun,
        idempotency_key=key or _key(values),
    )
    return _answer(page, status, is_private=begun is not None or bool(values.get("code")) or status != HTTPStatus.OK)


def _room(initiative_id: int, begun: PaymentView | None) -> queries.Room:
    """What may be given; what this giver has begun keeps nobody out but others."""
    rules, now = current_rules(), clock.now()
    room = queries.room(db.session(), initiative_id, rules, now)
    if begun is None or not begun.is_waiting or begun.reserved_until <= now:
        return room
    return room.without(begun.amount_cents, rules)


def _tidy(errors: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str]:
    """What has no field of its own is about the form; what is wrong with a typed amount stands where it was typed."""
    is_typed = values.get("own_amount", "").strip() and values.get("amount", "") in {"", OTHER}
    places = {"idempotency_key": "form"} | ({"amount": "own_amount"} if is_typed else {})
    return {places.get(name, name): sentence for name, sentence in errors.items()}


def _key(values: Mapping[str, Any]) -> str:
    """The key of this form: the one that it was sent with, or a new one."""
    try:
        return str(uuid.UUID(values.get("idempotency_key", "")))
    except ValueError:
        return str(uuid.uuid4())


def _began_already(initiative: InitiativeCard, error: AbsError) -> Response:
    """The same form says something else now, or its payment has ended: a new form, and the way to the first payment."""
    values = {name: request.form[name] for name in _KEPT if name in request.form}
    made = gift_of_form(db.session(), uuid.UUID(_key(request.form)))
    begun = None if made is None else _begun_before(initiative.id, made.reference)
    return _form(initiative, values, {"form": error.message}, begun=begun, key=str(uuid.uuid4()), status=error.status)


def _question(initiative: InitiativeCard, gift: MoneyGift, payload: int, begun: PaymentView | None) -> Response:
    """What will be given, with the voucher that cannot be taken back. Raises: VoucherNotUsable, InvalidInput."""
    voucher = look_up_for_client(payload)
    rules = current_rules()
    room = _room(initiative.id, begun).after(voucher.amount_cents, rules)
    if room.missing_cents == 0:
        sentence = _("Met je voucher is het bedrag al rond. Geef alleen je voucher, of alleen geld.")
        raise InvalidInput(sentence, fields={"code": sentence})
    check_amount(gift.amount_cents, room, rules)
    page = render_template(
        "payments/confirm.html",
        initiative=initiative,
        gift=gift,
        voucher_cents=voucher.amount_cents,
        values={name: request.form[name] for name in _KEPT if request.form.get(name)},
        idempotency_key=str(gift.idempotency_key),
    )
    return _answer(page, HTTPStatus.OK, is_private=True)


def _methods() -> list[str]:
    payments = _settings().payments
    return [str(METHODS.get(method, method.capitalize())) for method in (payments.methods if payments else ())]


def _answer(page: str, status: int, *, is_private: bool) -> Response:
    """A page; what holds a code, or what somebody wrote, is kept by no cache."""
    response = make_response(page, status)
    if is_private:
        response.headers["Cache-Control"] = "no-store"
    return response
