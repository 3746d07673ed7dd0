# SPDX-License-Identifier: EUPL-1.2
"""Home, what goes on near somebody, the overview of the coordinator, and whether the app is alive."""

from __future__ import annotations

import datetime as dt
import re
from http import HTTPStatus

from flask import Blueprint, Response, abort, current_app, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response as AnyResponse

from abs_platform import clock
from abs_platform.database import db
from abs_platform.households.queries import neighbourhood_of_postcode
from abs_platform.initiatives.queries import almost_there, newest
from abs_platform.initiatives.states import InitiativeState
from abs_platform.migrating import pending_revisions
from abs_platform.money import format_euros
from abs_platform.pages.queries import Town, near, town
from abs_platform.pages.states import WaitingKind
from abs_platform.pages.totals import platform_totals_of_late
from abs_platform.pages.waiting import Waiting, what_waits
from abs_platform.rounds.queries import coming_round, is_under_another_key, open_round
from abs_platform.rounds.readiness import checks
from abs_platform.rule_settings.service import current_rules
from abs_platform.security import public, staff_required
from abs_platform.templating import number
from abs_platform.users import Role

bp = Blueprint("pages", __name__)

ON_HOME, ON_ITS_PAGE = 3, 9
_POSTCODE = re.compile(r"[1-9][0-9]{3}[A-Z]{2}")

# The rooms of the coordinator.
COORDINATION_TABS = (
    ("overview", _l("Overzicht"), "pages.coordination"),
    ("rounds", _l("Rondes"), "rounds_desk.index"),
    ("letters", _l("Brief"), "letter_texts.index"),
    ("texts", _l("Teksten"), "site_texts_desk.index"),
    ("addresses", _l("Adressen"), "addresses_desk.index"),
    ("lost", _l("Post"), "post_desk.index"),
    ("work", _l("Taken"), "jobs_desk.index"),
    ("settings", _l("Instellingen"), "rule_settings.index"),
    ("log", _l("Logboek"), "event_log.index"),
    ("users", _l("Gebruikers"), "staff.index"),
    ("rules", _l("Regelcheck"), "rulebook.index"),
)


# Where each thing that waits is dealt with.
COORDINATION_PLACES = {
    WaitingKind.TO_RELEASE: "rounds_desk.show",
    WaitingKind.TO_ISSUE: "rounds_desk.show",
    WaitingKind.LETTERS: "letters_desk.index",
    WaitingKind.REPLACEMENTS: "post_desk.index",
    WaitingKind.WORK: "jobs_desk.index",
    WaitingKind.JOBS: "jobs_desk.index",
    WaitingKind.JOB_PROCESS: "jobs_desk.index",
    WaitingKind.CITY_WIDE: "desk.index",
}
OF_A_ROUND = frozenset({WaitingKind.TO_RELEASE, WaitingKind.TO_ISSUE, WaitingKind.LETTERS})


@bp.app_template_global("coordination_tabs")
def coordination_tabs() -> list[tuple[str, str, str]]:
    """The rooms of the coordinator: name, label and address."""
    there = current_app.view_functions
    return [(name, str(label), url_for(endpoint)) for name, label, endpoint in COORDINATION_TABS if endpoint in there]


@bp.get("/")
@public
def home() -> str:
    """What this is, the code box, and what goes on."""
    session, today, now = db.session(), clock.today(), clock.now()
    round_ = open_round(session, now)
    return render_template(
        "pages/home.html",
        round=round_,
        coming=None if round_ else coming_round(session, now),
        almost_there=almost_there(session, today=today, limit=3),
        newest=newest(session, InitiativeState.PUBLISHED, today=today, limit=3),
        realised=newest(session, InitiativeState.REALISED, today=today, limit=3),
        totals=platform_totals_of_late(session),
    )


@bp.get("/stand")
@public
def standing() -> Response:
    """What was given until now, in words, for a home page that stands open."""
    totals = platform_totals_of_late(db.session())
    return jsonify(
        raised=format_euros(totals.raised_cents),
        gifts=number(totals.gifts),
        funded=number(totals.initiatives_funded),
        collecting=number(totals.initiatives_collecting),
    )


@bp.get("/dichtbij")
@public
def nearby() -> str | AnyResponse | tuple[str, int]:
    """What goes on near a neighbourhood (buurt). A postcode leads there, and no history has it."""
    typed, slug = request.args.get("postcode", "").strip()[:20], request.args.get("buurt", "")
    session = db.session()
    areas = town(session)
    if typed and not slug:
        return _by_postcode(areas, typed)
    here = areas.neighbourhood(slug)
    if here is None:
        message = _("Deze buurt kennen we niet (meer). Kies je buurt uit de lijst.") if slug else ""
        return _choose(areas, message=message), HTTPStatus.NOT_FOUND if slug else HTTPStatus.OK
    found = near(session, areas.around(here), today=clock.today(), limit=ON_ITS_PAGE)
    return render_template("pages/near.html", here=here, district=areas.by_id(here.parent_id), cards=found)


@bp.get("/dichtbij/kaarten")
@public
def nearby_cards() -> str:
    """The piece of the home page for the neighbourhood that a browser remembers."""
    session = db.session()
    areas = town(session)
    here = areas.neighbourhood(request.args.get("buurt", ""))
    if here is None:
        abort(HTTPStatus.NOT_FOUND)
    found = near(session, areas.around(here), today=clock.today(), limit=ON_HOME)
    return render_template("pages/_near_cards.html", here=here, cards=found)


def _by_postcode(areas: Town, typed: str) -> str | AnyResponse:
    postcode = "".join(typed.split()).upper()
    if not _POSTCODE.fullmatch(postcode):
        error = _("Vul vier cijfers en twee letters in, zoals %(example)s.", example="1234 AB")
        return _choose(areas, typed=typed, errors={"postcode": error})
    here = areas.by_id(neighbourhood_of_postcode(db.session(), postcode))
    if here is None:
        message = _("Bij postcode %(postcode)s vinden we geen buurt. Kies je buurt uit de lijst.", postcode=typed)
        return _choose(areas, typed=typed, message=message)
    return redirect(url_for(".nearby", buurt=here.slug))


def _choose(areas: Town, *, typed: str = "", message: str = "", errors: dict[str, str] | None = None) -> str:
    return render_template(
        "pages/near_choose.html", districts=areas.districts, typed=typed, message=message, errors=errors or {}
    )


@bp.get("/beheer")
@staff_required(Role.COORDINATOR)
def coordination() -> str:
    """What waits at the coordinator and for how long, and the checks of the round that is issued first."""
    session, now = db.session(), clock.now()
    waiting = what_waits(session, now)
    coming = next((one.subject_id for one in waiting if one.kind is WaitingKind.TO_RELEASE), None)
    return render_template(
        "pages/coordination.html",
        waiting=waiting,
        links={one.kind: url for one in waiting if (url := _link(one)) is not None},
        red=red_checks(coming, now) if coming else [],
        coming=coming,
        open_round=open_round(session, now),
        now=now,
    )


def red_checks(round_id: int, now: dt.datetime) -> list[str]:
    """What is red on the check list of a round."""
    fingerprint = current_app.extensions["code_keys"].fingerprint
    found = checks(db.session(), round_id, key_fingerprint=fingerprint, rules=current_rules(), now=now)
    return [check.label for check in found if check.is_red]


def _link(one: Waiting) -> str | None:
    """Where what waits is dealt with, if that page is there."""
    endpoint = COORDINATION_PLACES[one.kind]
    if endpoint not in current_app.view_functions:
        return None
    if one.kind in OF_A_ROUND and (one.count == 1 or one.kind is WaitingKind.LETTERS):
        return url_for(endpoint, round_id=one.subject_id)
    if one.kind in OF_A_ROUND:
        return url_for("rounds_desk.index")
    return url_for(endpoint)


@bp.get("/healthz")
@public
def healthz() -> Response:
    """The process is alive."""
    return jsonify(status="ok")


@bp.get("/readyz")
@public
def readyz() -> tuple[Response, int]:
    """The database answers, is migrated, and its vouchers were made under our key: send visitors here."""
    problem = _why_not_ready()
    return jsonify(status=problem or "ok"), HTTPStatus.SERVICE_UNAVAILABLE if problem else HTTPStatus.OK


def _why_not_ready() -> str | None:
    try:
        if pending_revisions():
            return "database is not migrated"
        if is_under_another_key(db.session(), current_app.extensions["code_keys"].fingerprint):
            return "vouchers were made under another ABS_VOUCHER_KEY"
    except SQLAlchemyError:
        return "database does not answer"
    return None
