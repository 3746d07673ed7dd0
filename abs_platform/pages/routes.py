# SPDX-License-Identifier: EUPL-1.2
"""Home, how it works, and whether the app is alive."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response, current_app, jsonify, render_template
from sqlalchemy.exc import SQLAlchemyError

from abs_platform import clock
from abs_platform.database import db
from abs_platform.initiatives.queries import almost_there, newest
from abs_platform.initiatives.states import InitiativeState
from abs_platform.migrating import pending_revisions
from abs_platform.pages.queries import platform_totals
from abs_platform.rounds.queries import is_under_another_key, open_round
from abs_platform.security import public, staff_required
from abs_platform.users import Role

bp = Blueprint("pages", __name__)


@bp.get("/")
@public
def home() -> str:
    """What this is, the code box, and what goes on."""
    session, today = db.session(), clock.today()
    return render_template(
        "pages/home.html",
        round=open_round(session, clock.now()),
        almost_there=almost_there(session, today=today, limit=3),
        newest=newest(session, InitiativeState.PUBLISHED, today=today, limit=6),
        realised=newest(session, InitiativeState.REALISED, today=today, limit=3),
        totals=platform_totals(session),
    )


@bp.get("/beheer")
@staff_required(Role.COORDINATOR)
def coordination() -> str:
    """Where the coordinator begins."""
    return render_template("pages/coordination.html")


@bp.get("/hoe-werkt-het")
@public
def how_it_works() -> str:
    """The rules in plain words."""
    return render_template("pages/how_it_works.html", round=open_round(db.session(), clock.now()))


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
