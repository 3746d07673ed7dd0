# SPDX-License-Identifier: EUPL-1.2
"""Who the visitor of the demo can be, and how to sign in as them; in production this page does not exist."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, make_response, render_template, request
from flask_babel import gettext as _

from abs_platform import clock
from abs_platform.config import Settings
from abs_platform.database import db
from abs_platform.demo.bank_statement import at_the_bank, daily_business, sent_back, statement_file
from abs_platform.demo.people import demo_codes, demo_keepers, demo_organisers, demo_residents, demo_staff
from abs_platform.errors import NotFound
from abs_platform.security import public
from abs_platform.users import Role

RESIDENTS = 2
CODES = 4

bp = Blueprint("demo", __name__, url_prefix="/demo")


@bp.get("")
@public
def people() -> Response:
    """Staff with the code of their app, organisers and residents; a page that is old shows codes that are old."""
    session, secret_key = db.session(), current_app.extensions["settings"].secret_key
    staff = demo_staff(session, secret_key=secret_key, now=clock.now())
    page = render_template(
        "demo/people.html",
        staff=staff,
        finance=[person for person in staff if person.role == Role.FINANCE.label],
        organisers=demo_organisers(session),
        by_role={person.role: person for person in reversed(staff)},
        roles=Role,
        keepers=demo_keepers(session, most=RESIDENTS),
        codes=demo_codes(session, current_app.extensions["code_keys"], most=CODES, now=clock.now()),
        residents=demo_residents(session, most=RESIDENTS),
        bank_url=_bank_url(current_app.extensions["settings"]),
    )
    response = make_response(page)
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.get("/afschrift")
@public
def bank_statement() -> Response:
    """What the bank of the demo says: it paid all that is with it; with ?terug=1 the last payout came back."""
    account, now = current_app.extensions["settings"].bank_account, clock.now()
    if account is None:
        raise NotFound(_("De rekening van de gemeente is niet ingesteld: er is geen afschrift."))
    ours = sent_back(db.session(), now) if request.args.get("terug") else at_the_bank(db.session())
    entries = [[line] for line in [*ours, *daily_business(clock.today())]]
    number = f"DEMO{now:%Y%m%d%H%M%S}"
    response = make_response(statement_file(entries, iban=account.iban, number=number, created_at=now))
    response.headers["Content-Type"] = "application/xml"
    response.headers["Content-Disposition"] = f'attachment; filename="afschrift-{number}.xml"'
    response.headers["Cache-Control"] = "no-store"
    return response


def _bank_url(settings: Settings) -> str:
    """Where one plays the banks, while no real money moves."""
    payments = settings.payments
    return f"{payments.api_url}/_stand-in" if payments and payments.is_stand_in else ""
