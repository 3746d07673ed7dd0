# SPDX-License-Identifier: EUPL-1.2
"""The organisers' page to talk with the wijkregisseur, and what was promised to them."""

from __future__ import annotations

import datetime as dt
from http import HTTPStatus

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from abs_platform import attempts, clock
from abs_platform.database import db, transaction
from abs_platform.errors import InvalidInput, NotFound, TooManyAttempts
from abs_platform.form_input import errors_of
from abs_platform.initiatives.permissions import is_organiser
from abs_platform.initiatives.subjects import subject_of
from abs_platform.moderation import permissions, queries, schemas, service
from abs_platform.moderation.promises import promise_of
from abs_platform.moderation.routes import ID, Answered, rules
from abs_platform.security import resident_required, signed_in_user

bp = Blueprint("conversation", __name__, url_prefix="/account/initiatieven")

MESSAGES_PER_HOUR = 20
HOUR = dt.timedelta(hours=1)


@bp.get(f"/<{ID}:initiative_id>/gesprek")
@resident_required
def show(initiative_id: int) -> str:
    """What was said so far, and until when an answer comes."""
    return _page(initiative_id)


@bp.post(f"/<{ID}:initiative_id>/gesprek")
@resident_required
def say(initiative_id: int) -> Answered:
    """Write to the wijkregisseur."""
    user, now = signed_in_user(), clock.now()
    text = schemas.plain_text(request.form.get("message", ""))
    try:
        with transaction() as session:
            key = attempts.digest(current_app.extensions["settings"].secret_key, f"account:{user.account_id}")
            attempts.claim(session, "desk-message", key, most=MESSAGES_PER_HOUR, window=HOUR, now=now)
            service.write_to_desk(session, initiative_id, text, user=user, now=now)
    except (InvalidInput, TooManyAttempts) as error:
        return _page(initiative_id, text, errors_of(error)), int(error.status)
    flash(_("Je bericht is verstuurd. Het antwoord krijg je hier en per mail."))
    return redirect(url_for(".show", initiative_id=initiative_id), HTTPStatus.SEE_OTHER)


def _page(initiative_id: int, text: str = "", errors: dict[str, str] | None = None) -> str:
    session, user, now = db.session(), signed_in_user(), clock.now()
    subject = subject_of(session, initiative_id)
    if not is_organiser(user, subject):
        raise NotFound(_("Dit initiatief bestaat niet (meer)."))
    people = queries.organisers_of(session, initiative_id)
    names = {row.account_id: row.name for row in people if row.account_id is not None}
    return render_template(
        "moderation/conversation.html",
        subject=subject,
        messages=queries.messages_of(session, initiative_id, names),
        decisions=queries.decisions_of(session, initiative_id)[::-1],
        promise=promise_of(session, initiative_id, now=now, days=rules().answer_working_days),
        may_write=permissions.can_converse(user, subject),
        text=text,
        errors=errors or {},
    )
