# SPDX-License-Identifier: EUPL-1.2
"""The coordinator's post: requests for new letters to print, letters that came back, and where much goes wrong."""

from __future__ import annotations

import datetime as dt
from http import HTTPStatus

from flask import Blueprint, Response, current_app, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as WerkzeugResponse

from abs_platform import attempts, clock
from abs_platform.database import db, transaction
from abs_platform.errors import AbsError, Conflict, InvalidInput, NotFound, TooManyAttempts
from abs_platform.form_input import errors_of
from abs_platform.letters.queries import approved_text_id, order_key
from abs_platform.replacements import queries, returning, service
from abs_platform.replacements.schemas import MAX_REASON, read_reason, read_why
from abs_platform.replacements.states import ReturnReason
from abs_platform.rich_text import without_unseen
from abs_platform.security import current_actor, signed_in_user, staff_required
from abs_platform.users import Role
from abs_platform.vouchers.giving import code_keys
from abs_platform.vouchers.redeeming import parse_code
from abs_platform.work import service as work
from abs_platform.work.states import WorkKind

bp = Blueprint("post_desk", __name__, url_prefix="/beheer/post")

MARKED_SHOWN, MAX_TYPED = 50, 200
BUCKET = "returned.unknown"
UNKNOWN_AN_HOUR = 60
HOUR = dt.timedelta(hours=1)
_ID = "int(max=9223372036854775807)"
Answered = str | Response | WerkzeugResponse


@bp.get("")
@staff_required(Role.COORDINATOR)
def index() -> str:
    """What waits, what came back, the hot spots, and the addresses that get no voucher."""
    session, now = db.session(), clock.now()
    rounds = queries.post_of_rounds(session, now)
    running = [one for one in rounds if one.is_running]
    return render_template(
        "replacements/desk.html",
        rounds=rounds,
        hot_spots={one.round_id: queries.hot_spots(session, one.round_id) for one in running},
        marked=queries.marked_addresses(session, MARKED_SHOWN),
        marked_count=queries.count_marked(session),
        now=now,
    )


@bp.get(f"/<{_ID}:round_id>/drukken")
@staff_required(Role.COORDINATOR)
def ask_print(round_id: int) -> str:
    """What printing the waiting requests of a round does, before it is done."""
    return _print_page(round_id, {})


@bp.post(f"/<{_ID}:round_id>/drukken")
@staff_required(Role.COORDINATOR)
def print_now(round_id: int) -> Answered:
    """Turn waiting requests into new vouchers and a run of letters; as many as the page said, and no other number."""
    account_id, now = signed_in_user().account_id, clock.now()
    try:
        with transaction() as session:
            done = service.print_requests(
                session,
                round_id,
                expected=request.form.get("count", 0, int),
                keys=code_keys(),
                actor=current_actor(),
                now=now,
            )
            if done.run_id is not None:
                work.order(
                    session,
                    WorkKind.MAKE_LETTERS,
                    key=order_key(done.run_id),
                    params={"run_id": done.run_id},
                    account_id=account_id,
                    now=now,
                )
    except Conflict as error:
        return make_response(_print_page(round_id, errors_of(error)), int(error.status))
    flash(_what_was_done(done.printed, done.dropped))
    if done.run_id is None:
        return redirect(url_for(".index"), HTTPStatus.SEE_OTHER)
    return redirect(url_for("letters_desk.index", round_id=round_id), HTTPStatus.SEE_OTHER)


def _what_was_done(printed: int, dropped: int) -> str:
    said = ngettext("%(num)s nieuwe voucher is uitgegeven.", "%(num)s nieuwe vouchers zijn uitgegeven.", printed)
    if dropped:
        said += " " + ngettext(
            "%(num)s aanvraag verviel: die voucher was al gebruikt.",
            "%(num)s aanvragen vervielen: die vouchers waren al gebruikt.",
            dropped,
        )
    return str(said)


@bp.get("/retour")
@staff_required(Role.COORDINATOR, Role.DESK)
def scan_form() -> str:
    """The box for the code of a letter that came back, for a whole heap of them."""
    return _scan_page("", {})


@bp.post("/retour")
@staff_required(Role.COORDINATOR, Role.DESK)
def scan() -> Answered:
    """Book one letter that came back, and show the empty box again."""
    typed = without_unseen(request.form.get("code", "")).strip()[:MAX_TYPED]
    try:
        payload = parse_code(typed)
        why = read_why(request.form)
        _book(payload, why)
    except (InvalidInput, Conflict, TooManyAttempts) as error:
        return _unstored(_scan_page(typed, errors_of(error)), error)
    flash(_("Geboekt. Dit adres krijgt geen voucher tot de post weer aankomt."))
    return redirect(url_for(".scan_form", reden=why.value), HTTPStatus.SEE_OTHER)


def _book(payload: int, why: ReturnReason) -> None:
    """A code of no letter counts for who typed it, so that nobody guesses codes here; any other takes its count back.

    Raises: InvalidInput, Conflict, TooManyAttempts.
    """
    user, now = signed_in_user(), clock.now()
    key = attempts.digest(current_app.extensions["settings"].secret_key, f"account:{user.account_id}")
    with transaction() as session:
        attempts.claim(session, BUCKET, key, most=UNKNOWN_AN_HOUR, window=HOUR, now=now)
    try:
        with transaction() as session:
            digest = code_keys().digest(payload)
            returning.scan(session, digest, why, account_id=user.account_id, actor=current_actor(), now=now)
            attempts.take_back(session, BUCKET, key)
    except Conflict:
        with transaction() as session:
            attempts.take_back(session, BUCKET, key)
        raise


@bp.get(f"/adres/<{_ID}:household_id>")
@staff_required(Role.COORDINATOR)
def ask_clear(household_id: int) -> str:
    """Ask why the post arrives again at an address."""
    return _clear_page(household_id, "", {})


@bp.post(f"/adres/<{_ID}:household_id>")
@staff_required(Role.COORDINATOR)
def clear(household_id: int) -> Answered:
    """Take the mark away."""
    try:
        reason = read_reason(request.form)
        with transaction() as session:
            returning.clear(session, household_id, reason=reason, actor=current_actor(), now=clock.now())
    except InvalidInput as error:
        page = _clear_page(household_id, request.form.get("reason", "")[:MAX_REASON], errors_of(error))
        return make_response(page, int(error.status))
    flash(_("Dit adres krijgt weer vouchers. Loopt er een ronde, dan komt die brief er vanzelf bij."))
    return redirect(url_for(".index"), HTTPStatus.SEE_OTHER)


def _print_page(round_id: int, errors: dict[str, str]) -> str:
    session, now = db.session(), clock.now()
    found = [one for one in queries.post_of_rounds(session, now) if one.round_id == round_id]
    if not found:
        raise NotFound(_("Deze ronde bestaat niet, of is nog niet uitgegeven."))
    return render_template(
        "replacements/print.html", post=found[0], has_text=approved_text_id(session) is not None, errors=errors
    )


def _scan_page(code: str, errors: dict[str, str]) -> str:
    user, today = signed_in_user(), clock.start_of_day(clock.today())
    return render_template(
        "replacements/scan.html",
        code=code,
        errors=errors,
        reasons=list(ReturnReason),
        chosen=request.form.get("why") or request.args.get("reden", ReturnReason.UNKNOWN_ADDRESS.value),
        today=queries.scanned_by(db.session(), user.account_id, today),
        is_coordinator=user.is_coordinator,
    )


def _clear_page(household_id: int, reason: str, errors: dict[str, str]) -> str:
    found = queries.marked_address(db.session(), household_id)
    if found is None:
        raise NotFound(_("Bij dit adres kwam geen post terug."))
    return render_template("replacements/clear.html", address=found, reason=reason, errors=errors)


def _unstored(page: str, error: AbsError) -> Response:
    response = make_response(page, int(error.status))
    response.headers["Cache-Control"] = "no-store"
    return response
