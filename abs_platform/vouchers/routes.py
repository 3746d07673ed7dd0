# SPDX-License-Identifier: EUPL-1.2
"""Giving a voucher: a code and an initiative, one confirm, a receipt. The code is never part of an address."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as WerkzeugResponse

from abs_platform import clock
from abs_platform.actors import GIVER
from abs_platform.areas.queries import list_districts
from abs_platform.database import db, transaction
from abs_platform.errors import AbsError, InitiativeNotOpen, InvalidInput
from abs_platform.extensions import csrf
from abs_platform.initiatives.queries import InitiativeCard, card, collecting
from abs_platform.initiatives.service import close_if_funded
from abs_platform.rounds.queries import open_round
from abs_platform.security import public, refuse_cross_site, request_client
from abs_platform.vouchers.codes import CodeKeys, format_payload
from abs_platform.vouchers.queries import VoucherStatus
from abs_platform.vouchers.redeeming import Client, Refused, look_up, parse_code, redeem
from abs_platform.vouchers.schemas import MAX_CODE, load_gift, read_id

bp = Blueprint("vouchers", __name__)

CHOICES_SHOWN = 60
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
        sent = request.form
        form = cls(code=sent.get("code", "")[:MAX_CODE], initiative_id=read_id(sent.get("initiative_id", "")))
        for name in _FORM_FIELDS:
            setattr(form, name, sent.get(name, ""))
        return form

    def chosen(self) -> int:
        """The initiative that was chosen. Raises: InvalidInput when none was."""
        if self.initiative_id is None:
            raise InvalidInput(_("Kies een initiatief."), fields={"initiative_id": _("Kies een initiatief.")})
        return self.initiative_id

    def fail(self, error: AbsError, name: str = "form") -> GiveForm:
        """Put the sentences of an error beside their fields."""
        fields = error.fields if isinstance(error, InvalidInput) else {}
        self.errors.update(fields or {name: error.message})
        return self


def code_keys() -> CodeKeys:
    """The keys of this app's codes."""
    keys: CodeKeys = current_app.extensions["code_keys"]
    return keys


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
def check() -> Response | tuple[str, int] | tuple[str, int, dict[str, str]] | str:
    """Look the code up and ask to confirm. It changes nothing, so it needs no session: its page stays cacheable."""
    refuse_cross_site()
    form = GiveForm.sent()
    try:
        payload = parse_code(form.code)
    except InvalidInput as error:
        form.fail(error)
        if form.initiative_id is None and request.form.get("step") != "choose":
            form.errors["initiative_id"] = _("Kies een initiatief.")
        return _choose_again(form, error)
    initiative = _collecting_initiative(form.initiative_id)
    if initiative is None:
        form.code = format_payload(payload)
        if request.form.get("step") == "choose":
            return _no_store(_choose_page(form))
        message = _("Kies een initiatief.") if form.initiative_id is None else _not_open()
        return _choose_again(form, InvalidInput(message, fields={"initiative_id": message}))
    with transaction() as session:
        settings = current_app.extensions["settings"]
        found = look_up(
            session, payload, Client(*request_client()), keys=code_keys(), rules=settings.rules, now=clock.now()
        )
    if isinstance(found, Refused):
        return _choose_again(form, found.error, "code")
    return _confirm_page(form, payload, initiative, found, str(uuid.uuid4()))


@bp.post("/voucher/geven")
@public
def give() -> WerkzeugResponse | tuple[str, int] | tuple[str, int, dict[str, str]]:
    """Give it. The gift that reaches the target funds the initiative before its giver sees the receipt."""
    form = GiveForm.sent()
    try:
        payload = parse_code(form.code)
        initiative_id = form.chosen()
    except InvalidInput as error:
        return _choose_again(form, error)
    try:
        details = load_gift(request.form)
        _check_plan_b(details.plan_b_initiative_id, initiative_id)
    except InvalidInput as error:
        return _confirm_again(form, payload, error)
    settings, now = current_app.extensions["settings"], clock.now()
    client = Client(*request_client())
    try:
        with transaction() as session:
            gift = redeem(
                session, payload, initiative_id, client, details, keys=code_keys(), rules=settings.rules, now=now
            )
    except InitiativeNotOpen as error:
        return _choose_again(form, error, "initiative_id")
    if isinstance(gift, Refused):
        return _choose_again(form, gift.error, "code")
    with transaction() as session:
        close_if_funded(session, gift.initiative_id, actor=GIVER, now=now)
    return redirect(url_for("donations.receipt", reference=gift.reference), 303)


def _check_plan_b(plan_b_id: int | None, initiative_id: int) -> None:
    if plan_b_id is None:
        return
    if plan_b_id == initiative_id or _collecting_initiative(plan_b_id) is None:
        message = _("Kies een andere tweede keus: een initiatief dat nu geld ophaalt.")
        raise InvalidInput(message, fields={"plan_b_id": message})


def _collecting_initiative(initiative_id: int | None) -> InitiativeCard | None:
    if initiative_id is None:
        return None
    found = card(db.session(), initiative_id, today=clock.today())
    return found if found is not None and found.is_collecting else None


def _not_open() -> str:
    return str(_("Dit initiatief haalt geen geld meer op. Kies een ander."))


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


def _choose_again(
    form: GiveForm, error: AbsError, name: str = "form"
) -> tuple[str, int] | tuple[str, int, dict[str, str]]:
    if not form.errors:
        form.fail(error, name)
    status = int(error.status)
    return _choose_page(form), status, {"Cache-Control": "no-store"}


def _confirm_page(
    form: GiveForm,
    payload: int,
    initiative: InitiativeCard,
    voucher: VoucherStatus | None,
    idempotency_key: str,
) -> Response:
    choices = collecting(db.session(), today=clock.today(), limit=CHOICES_SHOWN)
    page = render_template(
        "vouchers/confirm.html",
        code=format_payload(payload),
        initiative=initiative,
        amount_cents=voucher.amount_cents if voucher else None,
        form=form,
        plan_b_choices=[choice for choice in choices if choice.id != initiative.id],
        idempotency_key=idempotency_key,
    )
    return _no_store(page)


def _confirm_again(
    form: GiveForm, payload: int, error: InvalidInput
) -> tuple[str, int, dict[str, str]] | tuple[str, int]:
    initiative = _collecting_initiative(form.initiative_id)
    if initiative is None:
        return _choose_again(form, InvalidInput(_not_open(), fields={"initiative_id": _not_open()}))
    key = request.form.get("idempotency_key", "")
    page = _confirm_page(form.fail(error), payload, initiative, None, key or str(uuid.uuid4()))
    return page.get_data(as_text=True), int(error.status), {"Cache-Control": "no-store"}


def _no_store(page: str) -> Response:
    response = make_response(page)
    response.headers["Cache-Control"] = "no-store"
    return response
