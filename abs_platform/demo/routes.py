# SPDX-License-Identifier: EUPL-1.2
"""Who the visitor of the demo can be, and how to sign in as them; in production this page does not exist."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, make_response, render_template

from abs_platform import clock
from abs_platform.database import db
from abs_platform.demo.people import demo_organisers, demo_residents, demo_staff
from abs_platform.security import public

RESIDENTS = 2

bp = Blueprint("demo", __name__, url_prefix="/demo")


@bp.get("")
@public
def people() -> Response:
    """Staff with the code of their app, organisers and residents; a page that is old shows codes that are old."""
    session, secret_key = db.session(), current_app.extensions["settings"].secret_key
    page = render_template(
        "demo/people.html",
        staff=demo_staff(session, secret_key=secret_key, now=clock.now()),
        organisers=demo_organisers(session),
        residents=demo_residents(session, most=RESIDENTS),
    )
    response = make_response(page)
    response.headers["Cache-Control"] = "no-store"
    return response
