# SPDX-License-Identifier: EUPL-1.2
"""The desk of finance: what waits, how the books stand, and the tasks."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from abs_platform import clock
from abs_platform.database import db, transaction
from abs_platform.errors import Conflict, InvalidInput, NotFound
from abs_platform.finance import queries, settling, waiting
from abs_platform.finance.models import FinanceTask
from abs_platform.finance.schemas import CLOSED, SettleForm, read_page, read_task_filters
from abs_platform.finance.states import TaskKind, WaitingKind
from abs_platform.form_input import errors_of, load
from abs_platform.ledger import browsing
from abs_platform.ledger.reports import balances_before
from abs_platform.ledger.states import Account
from abs_platform.payouts.states import FinanceList
from abs_platform.rule_settings.service import current_rules
from abs_platform.security import signed_in_user, staff_required
from abs_platform.users import Role

bp = Blueprint("finance", __name__, url_prefix="/financien")

ID = "int(max=9223372036854775807)"
Answer = str | Response | tuple[str, int]
TABS = (
    ("overview", _l("Wat wacht"), "finance.index"),
    ("payouts", _l("Uitbetalingen"), "payouts_finance.index"),
    ("batches", _l("Betaalopdrachten"), "batches.index"),
    ("statements", _l("Afschriften"), "statements.index"),
    ("tasks", _l("Taken"), "finance.tasks"),
    ("books", _l("Boeken"), "books.index"),
)
# Where each thing that waits is dealt with, and which list of it.
PLACES: dict[WaitingKind, tuple[str, dict[str, Any]]] = {
    WaitingKind.TO_APPROVE: ("payouts_finance.index", {"lijst": FinanceList.TO_APPROVE.value}),
    WaitingKind.APPROVED: ("batches.index", {}),
    WaitingKind.TO_RELEASE: ("batches.index", {}),
    WaitingKind.OWN_BATCH: ("batches.index", {}),
    WaitingKind.TO_DELIVER: ("batches.index", {}),
    WaitingKind.AT_THE_BANK: ("payouts_finance.index", {"lijst": FinanceList.AT_BANK.value}),
    WaitingKind.TASKS: ("finance.tasks", {}),
    WaitingKind.DISPUTED: ("finance.tasks", {"soort": TaskKind.DISPUTE_OPENED.value}),
    WaitingKind.UNSPENT: ("unspent.index", {}),
}
# What somebody of finance does about each kind of task.
ADVICE = {
    TaskKind.REFUND_FAILED: _l(
        "Probeer het nog een keer. Lukt dat niet, vraag de gever dan om een rekeningnummer en betaal met de hand terug."
    ),
    TaskKind.REFUND_TOO_LATE: _l(
        "De betaaldienst geeft dit niet meer terug. Vraag de gever om een rekeningnummer en betaal met de hand terug."
    ),
    TaskKind.REFUND_AT_PROVIDER: _l("Zoek uit wie dit bij de betaaldienst teruggaf, en waarom."),
    TaskKind.DIFFERENCE: _l("Vergelijk wat wij weten met wat de betaaldienst zegt. Zoek uit waar het verschil zit."),
    TaskKind.DISPUTE_OPENED: _l(
        "Stuur de betaaldienst op tijd wat je weet van deze gift. De bank van de gever beslist."
    ),
    TaskKind.DISPUTE_LOST: _l("Het geld is terug bij de gever. Kijk of het initiatief of de gemeente het mist."),
    TaskKind.STOPPED_AFTER_PAYOUT: _l(
        "Het geld is al uitbetaald en gaat niet vanzelf terug naar gevers. Spreek met de wijkregisseur af wat er moet."
    ),
    TaskKind.STATEMENT: _l(
        "We hebben niets geboekt. Vergelijk het afschrift met de uitbetaling en bel zo nodig de bank."
    ),
    TaskKind.PAYOUT_BOUNCED: _l(
        "Het geld staat weer bij het initiatief. De initiatiefnemer kreeg een mail en kan het opnieuw aanvragen."
    ),
    TaskKind.BOOKS_BROKEN: _l(
        "Vraag de beheerder van het systeem om te kijken. Tot die tijd wordt er niets uitbetaald."
    ),
}
# What each account means, for people who do not keep books. A minus is where money came from.
MEANINGS = {
    Account.BUDGET: _l("Wat de gemeente heeft ingelegd voor vouchers. Staat in de min."),
    Account.VOUCHERS: _l("Vouchers die bewoners nog kunnen geven."),
    Account.INITIATIVE: _l("Gegeven aan initiatieven en nog niet uitbetaald."),
    Account.PROVIDER: _l("Wat de betaaldienst voor ons vasthoudt. Staat in de min zolang er geld staat."),
    Account.FEES: _l("Wat de gemeente betaalde aan kosten, en wat zij droeg voor gevers. Staat in de min."),
    Account.BANK: _l("Wat via onze bankrekening ging. Een plus is meer eruit dan erin."),
    Account.OWED: _l("Geld van gevers dat terug moet."),
    Account.DISPUTES: _l("Betalingen waarover een bank nog beslist. Staat in de min."),
    Account.SUSPENSE: _l("Wat niemand nog kan uitleggen. Er hoort een taak bij."),
    Account.SURPLUS: _l("Wat initiatieven niet hebben besteed en terugstortten."),
}


@bp.app_template_global("finance_tabs")
def finance_tabs() -> list[tuple[str, str, str]]:
    """The rooms of finance: name, label and address."""
    return [(name, str(label), url_for(endpoint)) for name, label, endpoint in TABS if _is_there(endpoint)]


def _is_there(endpoint: str) -> bool:
    return endpoint in current_app.view_functions


@bp.get("")
@staff_required(Role.FINANCE)
def index() -> str:
    """What waits and for how long, what each account holds, and when the books were proved."""
    session, user, now = db.session(), signed_in_user(), clock.now()
    return render_template(
        "finance/index.html",
        user=user,
        is_broken=queries.books_are_broken(session),
        waiting=waiting.what_waits(session, user.account_id, now),
        links={kind: url_for(endpoint, **args) for kind, (endpoint, args) in PLACES.items() if _is_there(endpoint)},
        balances=balances_before(session, clock.end_of_day(clock.local_date(now))),
        meanings=MEANINGS,
        last_check=queries.last_check(session),
        last_reconcile=queries.last_run(session, "reconcile_payments"),
        now=now,
    )


@bp.get("/taken")
@staff_required(Role.FINANCE)
def tasks() -> str:
    """The open tasks, oldest first; or the closed ones, which stay findable."""
    filters, kept = read_task_filters(request.args)
    session = db.session()
    return render_template(
        "finance/tasks.html",
        user=signed_in_user(),
        filters=filters,
        kept=kept,
        closed=CLOSED,
        kinds=list(TaskKind),
        page=queries.tasks(session, filters, read_page(request.args)),
        is_broken=queries.books_are_broken(session),
        today=clock.today(),
    )


@bp.get(f"/taken/<{ID}:task_id>")
@staff_required(Role.FINANCE)
def task(task_id: int) -> str:
    """One task: both sides, the giver, and what was booked."""
    return _page(task_id, {}, {})


@bp.post(f"/taken/<{ID}:task_id>")
@staff_required(Role.FINANCE)
def settle(task_id: int) -> Answer:
    """Settle a task: most need only a note, some book something."""
    user, now = signed_in_user(), clock.now()
    _find(task_id)
    db.session.rollback()
    try:
        form = load(SettleForm(), request.form)
        with transaction() as session:
            settling.settle(
                session,
                task_id,
                form["settlement"],
                form["note"],
                form["amount"],
                rules=current_rules(),
                by_id=user.account_id,
                actor=user.actor(),
                now=now,
            )
    except (InvalidInput, Conflict) as error:
        return _page(task_id, dict(request.form), errors_of(error)), int(error.status)
    flash(_("De taak is klaar."))
    return redirect(url_for(".task", task_id=task_id), HTTPStatus.SEE_OTHER)


def _find(task_id: int) -> queries.TaskView:
    found = queries.find_task(db.session(), task_id)
    if found is None:
        raise NotFound(_("Deze taak bestaat niet."))
    return found


def _page(task_id: int, typed: dict[str, str], errors: dict[str, str]) -> str:
    """The screen of a task, with its form as it was sent when something was wrong."""
    session, found = db.session(), _find(task_id)
    story = queries.payment_story(session, found.payment_id) if found.payment_id else None
    return render_template(
        "finance/task.html",
        user=signed_in_user(),
        task=found,
        story=story,
        advice=ADVICE[found.kind],
        bookings=browsing.of_donation(session, story.donation_id) if story else [],
        settlements=settling.fitting(session, session.get_one(FinanceTask, task_id)) if found.is_open else [],
        is_broken=queries.books_are_broken(session),
        typed=typed,
        errors=errors,
    )
