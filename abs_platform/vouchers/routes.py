# SPDX-License-Identifier: EUPL-1.2
"""Giving a voucher: a code and an initiative, one confirm, a receipt. The code is never part of an address."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from http import HTTPStatus

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as WerkzeugResponse

from abs_platform import clock
from abs_platform.areas.queries import list_districts
from abs_platform.database import db
from abs_platform.errors import AbsError, InitiativeNotOpen, InvalidInput, VoucherNotUsable
from abs_platform.extensions import csrf
from abs_platform.initiatives.queries import InitiativeCard, card, collecting
from abs_platform.rounds.queries import open_round
from abs_platform.security import public
from abs_platform.vouchers.codes import format_payload
from abs_platform.vouchers.giving import give_for_client, look_up_for_client
from abs_platform.vouchers.redeeming import parse_code
from abs_platform.vouchers.schemas import MAX_CODE, load_gift, plain_text, read_id

bp = Blueprint("vouchers", __name__)

CHOICES_SHOWN = 40
_FORM_FIELDS = ("giver_name", "message", "giver_email", "wants_news", "plan_b_id")


@dataclass(slots=True)
class GiveForm:
    """What was typed, and what is wrong with it, field by field."""

    code: str = ""
    initiative_id: int | None = None
    giver_name: str = ""
    message: str = ""
    giver_email: str = ""
    wants_news: str = ""
    plan_b_id: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def sent(cls) -> GiveForm:
        """The form as it was sent."""
        typed = {name: plain_text(request.form.get(name, "")) for name in ("code", "initiative_id", *_FORM_FIELDS)}
        form = cls(code=typed["code"][:MAX_CODE], initiative_id=read_id(typed["initiative_id"]))
        for name in _FORM_FIELDS:
            setattr(form, name, typed[name])
        return form

    def chosen_id(self) -> int:
        """The initiative that was chosen. Raises: InvalidInput when none was."""
        if self.initiative_id is None:
            raise InvalidInput(_("Kies een initiatief."), fields={"initiative_id": _("Kies een initiatief.")})
        return self.initiative_id

    def chosen_initiative(self) -> InitiativeCard:
        """The initiative that was chosen, if it takes gifts. Raises: InvalidInput."""
        found = _collecting_initiative(self.chosen_id())
        if found is None:
            message = _("Dit initiatief haalt geen geld meer op. Kies een ander.")
            raise InvalidInput(message, fields={"initiative_id": message})
        return found

    def fail(self, error: AbsError, name: str = "form") -> GiveForm:
        """Put the sentences of an error beside their fields."""
        fields = error.fields if isinstance(error, InvalidInput) else {}
        self.errors = (fields or {name: error.message}) | self.errors
        return self


@bp.get("/voucher")
@public
def choose() -> str:
    """The page with the code box and the initiatives to choose from."""
    return _choose_page(GiveForm(initiative_id=read_id(request.args.get("initiatief", ""))))


@bp.get("/v")
@public
def landing() -> str:
    """Where the QR of the letter leads: /v#<code>. A fragment is never sent, so no log can keep it."""
    return _choose_page(GiveForm())


@bp.post("/voucher")
@csrf.exempt
@public
def check() -> Response:
    """Look the code up and ask to confirm. It gives nothing and needs no session, so its pages can be cached.

    With step=choose (the box on the home page, and the way back) it only keeps the code and asks for an initiative.
    """
    form = GiveForm.sent()
    wants_choice = request.form.get("step") == "choose"
    try:
        payload = parse_code(form.code)
        form.code = format_payload(payload)
        if wants_choice:
            return _unstored(_choose_page(form))
        initiative = form.chosen_initiative()
        voucher = look_up_for_client(payload)
    except InvalidInput as error:
        if form.initiative_id is None and not wants_choice:
            form.errors["initiative_id"] = _("Kies een initiatief.")
        return _choose_again(form, error)
    except VoucherNotUsable as error:
        return _choose_again(form, error, "code")
    return _unstored(_confirm_page(form, initiative, str(uuid.uuid4()), amount_cents=voucher.amount_cents))


@bp.post("/voucher/geven")
@public
def give() -> Response | WerkzeugResponse:
    """Give it, and go to the receipt."""
    form = GiveForm.sent()
    try:
        payload = parse_code(form.code)
        form.code = format_payload(payload)
        initiative_id = form.chosen_id()
    except InvalidInput as error:
        return _choose_again(form, error)
    try:
        gift = give_for_client(payload, initiative_id, load_gift(request.form))
    except InvalidInput as error:
        return _confirm_again(form, error)
    except InitiativeNotOpen as error:
        return _choose_again(form, error, "initiative_id")
    except VoucherNotUsable as error:
        return _choose_again(form, error, "code")
    return redirect(url_for("donations.receipt", reference=gift.reference), HTTPStatus.SEE_OTHER)


def _collecting_initiative(initiative_id: int | None) -> InitiativeCard | None:
    if initiative_id is None:
        return None
    found = card(db.session(), initiative_id, today=clock.today())
    return found if found is not None and found.is_collecting else None


def _choose_page(form: GiveForm) -> str:
    session, today = db.session(), clock.today()
    choices = collecting(session, today=today, limit=CHOICES_SHOWN)
    if form.initiative_id is not None and all(form.initiative_id != choice.id for choice in choices):
        chosen = _collecting_initiative(form.initiative_id)
        choices = [chosen, *choices] if chosen else choices
    return render_template(
        "vouchers/choose.html",
        form=form,
        choices=choices,
        filters={"search": "", "district": ""},
        district_options=[(district.slug, district.name) for district in list_districts(session)],
        round=open_round(session, clock.now()),
    )


def _choose_again(form: GiveForm, error: AbsError, name: str = "form") -> Response:
    return _unstored(_choose_page(form.fail(error, name)), int(error.status))


def _confirm_page(
    form: GiveForm, initiative: InitiativeCard, idempotency_key: str, amount_cents: int | None = None
) -> str:
    choices = collecting(db.session(), today=clock.today(), limit=CHOICES_SHOWN)
    return render_template(
        "vouchers/confirm.html",
        code=form.code,
        initiative=initiative,
        amount_cents=amount_cents,
        form=form,
        plan_b_choices=[choice for choice in choices if choice.id != initiative.id],
        idempotency_key=idempotency_key,
    )


def _confirm_again(form: GiveForm, error: InvalidInput) -> Response:
    try:
        initiative = form.chosen_initiative()
    except InvalidInput as closed:
        return _choose_again(form, closed)
    key = "" if "form" in error.fields else request.form.get("idempotency_key", "")
    return _unstored(_confirm_page(form.fail(error), initiative, key or str(uuid.uuid4())), int(error.status))


def _unstored(page: str, status: int = HTTPStatus.OK) -> Response:
    """A page that holds a code: no cache may keep it."""
    response = make_response(page, status)
    response.headers["Cache-Control"] = "no-store"
    return response
