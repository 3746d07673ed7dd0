# SPDX-License-Identifier: EUPL-1.2
"""The books for finance: balances on a day, every transaction, the report of a month or a year, and its export."""

from __future__ import annotations

import datetime as dt
from http import HTTPStatus
from io import BytesIO

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as Answer

from abs_platform import clock
from abs_platform.database import db
from abs_platform.errors import NotFound
from abs_platform.finance import export, queries
from abs_platform.finance.checking import check_books
from abs_platform.finance.routes import MEANINGS
from abs_platform.finance.schemas import read_filters, read_page
from abs_platform.ledger import browsing
from abs_platform.ledger.reports import Period, balances_before, first_booking, lines_of, report_of
from abs_platform.ledger.states import Account, TransactionKind
from abs_platform.security import current_actor, signed_in_user, staff_required
from abs_platform.templating import month_name
from abs_platform.users import Role

bp = Blueprint("books", __name__, url_prefix="/financien/boeken")

ID = "int(max=9223372036854775807)"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@bp.get("")
@staff_required(Role.FINANCE)
def index() -> str:
    """What every account held at the end of a day, and the months and years there are."""
    session, today = db.session(), clock.today()
    asked = request.args.get("dag", "")
    day, error = _read_day(asked, today)
    return render_template(
        "finance/books.html",
        user=signed_in_user(),
        day=day,
        typed=asked or today.isoformat(),
        error=error,
        today=today,
        balances=balances_before(session, clock.end_of_day(day)),
        meanings=MEANINGS,
        years=_years(first_booking(session), today),
        last_check=queries.last_check(session),
        is_broken=queries.books_are_broken(session),
    )


@bp.post("/narekenen")
@staff_required(Role.FINANCE)
def check() -> Answer:
    """Prove the books now, and not tonight: they may be whole again."""
    actor = current_actor()
    db.session.rollback()
    breaches = check_books(actor=actor, now=clock.now())
    if breaches:
        count = len(breaches)
        flash(ngettext("Er klopt %(num)s ding niet.", "Er kloppen %(num)s dingen niet.", count))
    else:
        flash(_("Elke cent klopt."))
    return redirect(url_for(".index"), HTTPStatus.SEE_OTHER)


@bp.get("/boekingen")
@staff_required(Role.FINANCE)
def transactions() -> str:
    """The transactions that fit, the newest first."""
    filters, kept = read_filters(request.args)
    return render_template(
        "finance/transactions.html",
        user=signed_in_user(),
        page=browsing.transactions(db.session(), filters, read_page(request.args)),
        kept=kept,
        accounts=[(account.value, account.label.capitalize()) for account in Account],
        kinds=[(kind.value, kind.label.capitalize()) for kind in TransactionKind],
        periods=[
            (period.slug, _("Heel %(year)s", year=period.slug) if period.is_year else _month(period))
            for months in _years(first_booking(db.session()), clock.today())
            for period in months
        ],
    )


@bp.get(f"/boekingen/<{ID}:transaction_id>")
@staff_required(Role.FINANCE)
def transaction(transaction_id: int) -> str:
    """One transaction with its legs."""
    found = browsing.find(db.session(), transaction_id)
    if found is None:
        raise NotFound(_("Deze boeking bestaat niet."))
    return render_template("finance/transaction.html", user=signed_in_user(), transaction=found)


@bp.get("/<period>")
@staff_required(Role.FINANCE)
def report(period: str) -> str:
    """The report of a month or a year."""
    asked = _period(period)
    return render_template(
        "finance/report.html",
        user=signed_in_user(),
        report=report_of(db.session(), asked),
        town=current_app.extensions["settings"].municipality.name,
        is_past=asked.is_past(clock.today()),
        is_broken=queries.books_are_broken(db.session()),
        printed_at=clock.now(),
    )


@bp.get("/<period>/boekingen.csv")
@staff_required(Role.FINANCE)
def csv(period: str) -> Response:
    """Every line of a period, for a spreadsheet. It is whole before it leaves: a slow reader holds no connection."""
    asked, file = _period(period), BytesIO()
    for piece in export.as_csv(lines_of(db.session(), asked)):
        file.write(piece.encode())
    return _file(file, "text/csv", f"boekingen-{asked.slug}.csv")


@bp.get("/<period>/boekingen.xlsx")
@staff_required(Role.FINANCE)
def xlsx(period: str) -> Response:
    """The same as a workbook."""
    asked, file = _period(period), BytesIO()
    export.write_xlsx(lines_of(db.session(), asked), file)
    return _file(file, XLSX, f"boekingen-{asked.slug}.xlsx")


def _file(file: BytesIO, mimetype: str, name: str) -> Response:
    """A file to keep, which no cache keeps."""
    file.seek(0)
    answer = send_file(file, mimetype=mimetype, as_attachment=True, download_name=name)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _month(period: Period) -> str:
    return f"{month_name(period.first_day)} {period.first_day.year}"


def _period(text: str) -> Period:
    found = Period.read(text)
    if found is None or found.first_day > clock.today():
        raise NotFound(_("Van deze maand of dit jaar zijn er geen boeken."))
    return found


def _read_day(text: str, today: dt.date) -> tuple[dt.date, str]:
    """The day that was asked, today for none; and a sentence when it is no day."""
    if not text:
        return today, ""
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return today, str(_("Vul een datum in."))
    return (day, "") if dt.date(2000, 1, 1) <= day <= today else (today, str(_("Kies een dag tot en met vandaag.")))


def _years(first: dt.datetime | None, today: dt.date) -> list[list[Period]]:
    """Each year since the first booking, the newest first: the year itself, and its months."""
    since = clock.local_date(first) if first else today
    years = []
    for year in range(today.year, since.year - 1, -1):
        months = [Period.of_month(year, month) for month in range(12, 0, -1)]
        kept = [month for month in months if month.first_day <= today and month.last_day >= since]
        whole = Period.read(str(year))
        years.append([whole, *kept] if whole else kept)
    return years
