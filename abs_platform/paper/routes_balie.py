# SPDX-License-Identifier: EUPL-1.2
"""The desk of a wijkcentrum: a code and the number of a choice, one after the other, on a screen that others share.

Nothing of the person before stays: every POST answers with a redirect to the empty form and one sentence, told once.
That sentence holds the choice and never the code; neither do an address, the session or the history.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from http import HTTPStatus

from flask import Blueprint, Response, current_app, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as WerkzeugResponse

from abs_platform import attempts, clock
from abs_platform.actors import Actor
from abs_platform.config import Settings
from abs_platform.database import db, transaction
from abs_platform.donations.service import Gift
from abs_platform.donations.states import Channel
from abs_platform.errors import Conflict, InitiativeNotOpen, InvalidInput, TooManyAttempts
from abs_platform.form_input import errors_of
from abs_platform.initiatives.queries import InitiativeCard, card
from abs_platform.initiatives.service import close_if_funded
from abs_platform.money import format_euros
from abs_platform.paper.counter import counted_today, give
from abs_platform.replacements.schemas import MAX_FIELD, read_address
from abs_platform.replacements.service import ask
from abs_platform.rich_text import without_unseen
from abs_platform.security import current_actor, signed_in_user, staff_required
from abs_platform.users import Role
from abs_platform.vouchers.giving import code_keys
from abs_platform.vouchers.redeeming import parse_code

bp = Blueprint("counter", __name__, url_prefix="/balie")

Answered = Response | WerkzeugResponse
STAFF = (Role.DESK, Role.COORDINATOR, Role.DISTRICT_MANAGER)
NEW_LETTERS_A_DAY = 100
GIVEN, REFUSED = "given", "refused"
MAX_TYPED = 200
_NUMBER = re.compile(r"(?:nr\.?|nummer|#)?\s*([0-9]{1,9})", re.IGNORECASE)


@bp.get("")
@staff_required(*STAFF)
def index() -> Response:
    """The empty form. Only for a heap of strips the choice stays: its number is in the address, never a code."""
    stack = _stack(request.args.get("stapel", ""))
    session, actor = db.session(), current_actor()
    midnight = clock.start_of_day(clock.today())
    page = render_template(
        "counter/index.html",
        stack=stack,
        form_key=str(uuid.uuid4()),
        today=counted_today(session, _account_key(), actor=actor, since=midnight),
    )
    return _unstored(page)


@bp.get("/keuze")
@staff_required(*STAFF)
def choice() -> Response:
    """What a number stands for, to read back before the code is given: a piece of the page, with public facts only."""
    number = _read_number(request.args.get("nummer", ""))
    found = card(db.session(), number, today=clock.today()) if number else None
    return _unstored(render_template("counter/_choice.html", number=number, choice=found))


@bp.post("")
@staff_required(*STAFF)
def send() -> Answered:
    """Give it. Unless the screen has shown what the number stands for, ask first: a wrong number is not noticed."""
    is_stack = request.form.get("stack") == "1"
    number = _read_number(request.form.get("number", ""))
    try:
        payload = parse_code(_typed("code"))
        chosen = _chosen(number)
        if request.form.get("seen") != str(chosen.id):
            return _unstored(_confirm_page(chosen, is_stack=is_stack))
        _tell(_give(payload, chosen.id, _form_key(), current_actor(), clock.now()), chosen)
    except (InvalidInput, InitiativeNotOpen, TooManyAttempts, Conflict) as error:
        flash(error.message, REFUSED)
    return redirect(url_for(".index", stapel=number if is_stack else None), HTTPStatus.SEE_OTHER)


@bp.get("/nieuwe-brief")
@staff_required(*STAFF)
def letter() -> Response:
    """A new letter for a visitor."""
    return _unstored(render_template("counter/letter.html", typed={}, errors={}))


@bp.post("/nieuwe-brief")
@staff_required(*STAFF)
def ask_letter() -> Answered:
    """Ask for it. The answer is the same for every address, here too."""
    typed = {name: _typed(name)[:MAX_FIELD] for name in ("postcode", "house_number")}
    try:
        address = read_address(request.form)
        with transaction() as session:
            ask(
                session,
                address,
                channel=Channel.DESK,
                client=_account_key(),
                most=NEW_LETTERS_A_DAY,
                actor=current_actor(),
                now=clock.now(),
            )
    except (InvalidInput, TooManyAttempts) as error:
        page = render_template("counter/letter.html", typed=typed, errors=errors_of(error))
        return _unstored(page, int(error.status))
    flash(_("De aanvraag is binnen. Is er nog een voucher op dat adres, dan komt er een nieuwe brief."), GIVEN)
    return redirect(url_for(".letter"), HTTPStatus.SEE_OTHER)


def _give(payload: int, initiative_id: int, form_key: uuid.UUID | None, actor: Actor, now: dt.datetime) -> Gift | None:
    """One transaction for the gift, one for the closing; a crash between the two is healed by close_initiatives."""
    with transaction() as session:
        gift = give(
            session,
            payload,
            initiative_id,
            form_key=form_key,
            account_key=_account_key(),
            keys=code_keys(),
            actor=actor,
            now=now,
        )
    if gift is not None:
        with transaction() as session:
            close_if_funded(session, gift.initiative_id, actor=actor, now=now)
    return gift


def _tell(gift: Gift | None, chosen: InitiativeCard) -> None:
    if gift is None:
        flash(_("Deze code kan nu niet worden gebruikt. Er is niets gegeven."), REFUSED)
        return
    flash(
        _(
            "Gegeven: %(amount)s aan %(title)s (nummer %(number)s)",
            amount=format_euros(gift.amount_cents),
            title=chosen.title,
            number=chosen.id,
        ),
        GIVEN,
    )


def _chosen(number: int | None) -> InitiativeCard:
    """What a number stands for, if it takes gifts. Raises: InvalidInput, InitiativeNotOpen."""
    if number is None:
        raise InvalidInput(_("Vul het nummer van de keuze in. Er is niets gegeven."))
    found = card(db.session(), number, today=clock.today())
    if found is None:
        raise InvalidInput(_("Nummer %(number)s bestaat niet. Er is niets gegeven.", number=number))
    if not found.is_collecting:
        raise InitiativeNotOpen(
            _("%(title)s haalt geen geld meer op. De voucher is niet gegeven: kies een ander.", title=found.title)
        )
    return found


def _stack(number: str) -> InitiativeCard | None:
    """The choice of a heap of strips, as long as it takes gifts."""
    read = _read_number(number)
    found = card(db.session(), read, today=clock.today()) if read else None
    return found if found is not None and found.is_collecting else None


def _confirm_page(chosen: InitiativeCard, *, is_stack: bool) -> str:
    key = _form_key() or uuid.uuid4()
    return render_template(
        "counter/confirm.html", code=_typed("code"), choice=chosen, is_stack=is_stack, form_key=str(key)
    )


def _read_number(typed: str) -> int | None:
    found = _NUMBER.fullmatch(typed.strip())
    return int(found[1]) if found and int(found[1]) else None


def _typed(name: str) -> str:
    return without_unseen(request.form.get(name, "")[:MAX_TYPED]).strip()


def _form_key() -> uuid.UUID | None:
    try:
        return uuid.UUID(request.form.get("form_key", ""))
    except ValueError:
        return None


def _account_key() -> bytes:
    """By what tries of this member of staff count."""
    settings: Settings = current_app.extensions["settings"]
    return attempts.digest(settings.secret_key, f"account:{signed_in_user().account_id}")


def _unstored(page: str, status: int = HTTPStatus.OK) -> Response:
    response = make_response(page, status)
    response.headers["Cache-Control"] = "no-store"
    return response
