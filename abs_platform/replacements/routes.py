# SPDX-License-Identifier: EUPL-1.2
"""No letter, or lost: postcode and house number start a new letter to that same address. The answer is always one."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as WerkzeugResponse

from abs_platform import attempts, clock
from abs_platform.actors import GIVER
from abs_platform.database import db, transaction
from abs_platform.donations.states import Channel
from abs_platform.errors import InvalidInput, TooManyAttempts
from abs_platform.form_input import errors_of
from abs_platform.replacements.schemas import MAX_FIELD, read_address
from abs_platform.replacements.service import ask
from abs_platform.rounds.queries import open_round
from abs_platform.rule_settings.service import current_rules
from abs_platform.security import public, request_client

bp = Blueprint("lost_letters", __name__, url_prefix="/voucher/nieuwe-brief")

Answered = str | Response | WerkzeugResponse


@bp.get("")
@public
def form() -> str:
    """The form."""
    return _page({}, {})


@bp.post("")
@public
def send() -> Answered:
    """Ask for a new letter. Whether there is one to come is told by the letter box."""
    typed = {name: request.form.get(name, "")[:MAX_FIELD] for name in ("postcode", "house_number")}
    try:
        address = read_address(request.form)
        client = attempts.digest(current_app.extensions["settings"].secret_key, request_client()[0].hex())
        with transaction() as session:
            ask(
                session,
                address,
                channel=Channel.ONLINE,
                client=client,
                most=current_rules().replacements_per_client,
                actor=GIVER,
                now=clock.now(),
            )
    except (InvalidInput, TooManyAttempts) as error:
        return make_response(_page(typed, errors_of(error)), int(error.status))
    return redirect(url_for(".sent"), HTTPStatus.SEE_OTHER)


@bp.get("/aangevraagd")
@public
def sent() -> str:
    """What happens now, the same for every address; the address itself is not shown."""
    return render_template("replacements/sent.html", round=open_round(db.session(), clock.now()))


def _page(typed: dict[str, str], errors: dict[str, str]) -> str:
    round_ = open_round(db.session(), clock.now())
    return render_template("replacements/form.html", typed=typed, errors=errors, round=round_)
