# SPDX-License-Identifier: EUPL-1.2
"""The vouchers that somebody keeps in an account: to see, to add one, and to give one without its code."""

from __future__ import annotations

import uuid
from http import HTTPStatus

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as WerkzeugResponse

from abs_platform import clock
from abs_platform.actors import GIVER
from abs_platform.areas.queries import list_districts
from abs_platform.database import db, transaction
from abs_platform.errors import AbsError, Conflict, InitiativeNotOpen, InvalidInput, NotFound, VoucherNotUsable
from abs_platform.initiatives.queries import InitiativeCard, card, collecting
from abs_platform.initiatives.service import close_if_funded
from abs_platform.rounds.queries import open_round
from abs_platform.rule_settings.service import current_rules
from abs_platform.security import request_client, resident_required, signed_in_user
from abs_platform.templating import long_date
from abs_platform.vouchers.codes import format_payload
from abs_platform.vouchers.giving import code_keys
from abs_platform.vouchers.keeping import give_kept, keep
from abs_platform.vouchers.queries import OwnVoucher, own_vouchers
from abs_platform.vouchers.redeeming import Client, parse_code
from abs_platform.vouchers.schemas import MAX_CODE, load_gift, plain_text, read_id

bp = Blueprint("kept_vouchers", __name__, url_prefix="/account/vouchers")

CHOICES_SHOWN = 40
_ID = "int(max=9223372036854775807)"
Answered = str | Response | WerkzeugResponse


@bp.get("")
@resident_required
def index() -> str:
    """What this account keeps, and the box for a code. ?initiatief=N remembers whom it is meant for."""
    return _index_page("", {})


@bp.post("/bewaren")
@resident_required
def keep_one() -> Answered:
    """Keep the voucher with the code that was typed."""
    typed = plain_text(request.form.get("code", ""))[:MAX_CODE]
    try:
        payload = parse_code(typed)
        typed = format_payload(payload)
        with transaction() as session:
            answer = keep(
                session,
                payload,
                signed_in_user().account_id,
                Client(*request_client()),
                keys=code_keys(),
                rules=current_rules(),
                now=clock.now(),
            )
        until = answer.or_raise()
    except (InvalidInput, Conflict, VoucherNotUsable) as error:
        return _unstored(_index_page(typed, {"code": error.message}), error)
    flash(_("Je voucher is bewaard. Geef hem tot en met %(date)s.", date=long_date(clock.last_day(until))))
    wanted = read_id(request.args.get("initiatief", ""))
    return redirect(url_for(".index", initiatief=wanted), HTTPStatus.SEE_OTHER)


@bp.get(f"/<{_ID}:voucher_id>/geven")
@resident_required
def choose(voucher_id: int) -> Answered:
    """Choose an initiative for one of them; with one chosen (?initiatief=N) confirm it. ?verder: the form was sent."""
    voucher = _own(voucher_id)
    wanted = request.args.get("initiative_id") or request.args.get("initiatief", "")
    chosen = _collecting_initiative(read_id(wanted))
    if chosen is not None and "anders" not in request.args:
        return _confirm_page(voucher, chosen, {})
    if "verder" in request.args:
        gone = _("Dit initiatief haalt geen geld meer op. Je voucher is nog van jou: kies een ander.")
        message = gone if wanted else _("Kies een initiatief.")
        return _unstored(_choose_page(voucher, {"initiative_id": message}), InvalidInput(message))
    return _choose_page(voucher, {}, chosen)


@bp.post(f"/<{_ID}:voucher_id>/geven")
@resident_required
def give(voucher_id: int) -> Answered:
    """Give it, and go to the receipt."""
    initiative_id, now = read_id(request.form.get("initiative_id", "")), clock.now()
    if initiative_id is None:
        message = _("Kies een initiatief.")
        return _unstored(_choose_page(_own(voucher_id), {"initiative_id": message}), InvalidInput(message))
    try:
        details = load_gift(request.form)
        with transaction() as session:
            gift = give_kept(session, voucher_id, signed_in_user().account_id, initiative_id, details=details, now=now)
    except InitiativeNotOpen as error:
        return _unstored(_choose_page(_own(voucher_id), {"initiative_id": error.message}), error)
    except InvalidInput as error:
        return _confirm_again(voucher_id, initiative_id, error)
    with transaction() as session:
        close_if_funded(session, gift.initiative_id, actor=GIVER, now=now)
    return redirect(url_for("donations.receipt", reference=gift.reference), HTTPStatus.SEE_OTHER)


def _confirm_again(voucher_id: int, initiative_id: int, error: InvalidInput) -> Response:
    voucher, initiative = _own(voucher_id), _collecting_initiative(initiative_id)
    if initiative is None:
        message = _("Dit initiatief haalt geen geld meer op. Je voucher is nog van jou: kies een ander.")
        return _unstored(_choose_page(voucher, {"initiative_id": message}), error)
    return _unstored(_confirm_page(voucher, initiative, error.fields or {"form": error.message}), error)


def _own(voucher_id: int) -> OwnVoucher:
    """One of this account's vouchers that can still be given. Raises: NotFound for any other; Conflict."""
    found = own_vouchers(db.session(), signed_in_user().account_id, voucher_id)
    if not found:
        raise NotFound(_("Deze voucher bewaar je niet."))
    if not found[0].is_living or found[0].usable_until <= clock.now():
        raise Conflict(_("Deze voucher is al gegeven, of de tijd is om. Kijk bij je vouchers."))
    return found[0]


def _collecting_initiative(initiative_id: int | None) -> InitiativeCard | None:
    found = None if initiative_id is None else card(db.session(), initiative_id, today=clock.today())
    return found if found is not None and found.is_collecting else None


def _index_page(code: str, errors: dict[str, str]) -> str:
    session, now = db.session(), clock.now()
    return render_template(
        "vouchers/kept.html",
        vouchers=own_vouchers(session, signed_in_user().account_id),
        code=code,
        errors=errors,
        initiative=_collecting_initiative(read_id(request.args.get("initiatief", ""))),
        round=open_round(session, now),
        now=now,
    )


def _choose_page(voucher: OwnVoucher, errors: dict[str, str], chosen: InitiativeCard | None = None) -> str:
    session = db.session()
    return render_template(
        "vouchers/choose_kept.html",
        voucher=voucher,
        choices=collecting(session, today=clock.today(), limit=CHOICES_SHOWN),
        chosen_id=chosen.id if chosen else None,
        district_options=[(district.slug, district.name) for district in list_districts(session)],
        errors=errors,
    )


def _confirm_page(voucher: OwnVoucher, initiative: InitiativeCard, errors: dict[str, str]) -> str:
    choices = collecting(db.session(), today=clock.today(), limit=CHOICES_SHOWN)
    return render_template(
        "vouchers/confirm_kept.html",
        voucher=voucher,
        initiative=initiative,
        plan_b_choices=[choice for choice in choices if choice.id != initiative.id],
        idempotency_key=request.form.get("idempotency_key") or str(uuid.uuid4()),
        typed=request.form,
        errors=errors,
    )


def _unstored(page: str, error: AbsError) -> Response:
    response = make_response(page, int(error.status))
    response.headers["Cache-Control"] = "no-store"
    return response
