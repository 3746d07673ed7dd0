# SPDX-License-Identifier: EUPL-1.2
"""The public list of initiatives, and the page of each."""

from __future__ import annotations

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from abs_platform import clock
from abs_platform.agenda.queries import upcoming
from abs_platform.agenda.states import SHOWN_WITH
from abs_platform.database import db
from abs_platform.errors import NotFound
from abs_platform.initiatives.browsing import browse
from abs_platform.initiatives.permissions import can_see_desk, is_organiser
from abs_platform.initiatives.routes_sharing import social_of
from abs_platform.initiatives.showing import InitiativeDetail, detail
from abs_platform.initiatives.states import FAILED_STATES, InitiativeState
from abs_platform.initiatives.subjects import find_subject
from abs_platform.organisers.queries import engagement
from abs_platform.payments.queries import amounts_to_choose, has_received_money, highest_gift
from abs_platform.payouts.queries import at_the_bank
from abs_platform.rounds.queries import open_round
from abs_platform.rule_settings.service import current_rules
from abs_platform.security import public, user_or_none

bp = Blueprint("initiatives", __name__, url_prefix="/initiatieven")


@bp.get("")
@public
def index() -> str:
    """The list, with what was asked for; the address holds the filter."""
    number = request.args.get("pagina", "")
    found = browse(
        db.session(),
        request.args,
        today=clock.today(),
        number=int(number) if number.isascii() and number.isdecimal() and len(number) < 7 else 1,
    )
    return render_template("initiatives/index.html", list=found)


@bp.get("/<int:initiative_id>-<slug>")
@bp.get("/<int:initiative_id>", defaults={"slug": ""})
@public
def show(initiative_id: int, slug: str) -> str | Response:
    """One initiative; an old or shortened address leads to the one that counts."""
    session, now = db.session(), clock.now()
    if initiative_id >= 2**63:
        raise _no_such_initiative()
    happened = engagement(session, initiative_id)
    found = detail(session, initiative_id, pictures=happened.pictures, today=clock.today())
    if found is None:
        raise _no_such_initiative()
    if slug != found.slug:
        return redirect(url_for(".show", initiative_id=initiative_id, slug=found.slug), 301)
    is_open = found.state == InitiativeState.PUBLISHED
    activities = upcoming(session, now, initiative_id=initiative_id) if found.state in SHOWN_WITH else []
    return render_template(
        "initiatives/show.html",
        initiative=found,
        engagement=happened,
        activities=activities,
        social=social_of(found, activities),
        round=open_round(session, now) if is_open else None,
        money_choices=_money_choices(found),
        returned_valid_days=current_rules().returned_valid_days,
        gives_money_back=found.state in FAILED_STATES and _gives_money_back(session, initiative_id),
        own_way=_own_way(initiative_id),
    )


def _no_such_initiative() -> NotFound:
    return NotFound(_("Dit initiatief bestaat niet (meer). Zoek verder bij de initiatieven."))


def _money_choices(initiative: InitiativeDetail) -> list[int] | None:
    """The amounts beside the code box, or None where no money can be given."""
    if not initiative.is_collecting or not current_app.extensions.get("payments"):
        return None
    return amounts_to_choose(highest_gift(initiative.missing_cents, current_rules()))


def _gives_money_back(session: Session, initiative_id: int) -> bool:
    """Whether money was given, and nothing of it was paid out already."""
    return has_received_money(session, initiative_id) and not at_the_bank(session, initiative_id)


def _own_way(initiative_id: int) -> tuple[str, str] | None:
    """Where its organisers, or the desk, go on with it: address and words."""
    user = user_or_none()
    subject = find_subject(db.session(), initiative_id) if user else None
    if user is None or subject is None:
        return None
    if is_organiser(user, subject):
        return url_for("organisers.home", initiative_id=initiative_id), _("Naar je initiatief")
    if can_see_desk(user, subject) and user.has_second_factor:
        return url_for("desk.show", initiative_id=initiative_id), _("Open in de regie")
    return None
