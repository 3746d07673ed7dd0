# SPDX-License-Identifier: EUPL-1.2
"""A round's letters at the coordinator's desk: have them made, take the files, hand them over, or take them back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http import HTTPStatus

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from abs_platform import clock
from abs_platform.database import db, transaction
from abs_platform.errors import Conflict, InvalidInput, NotFound
from abs_platform.form_input import errors_of, load
from abs_platform.letters import desk_files, desk_queries, doubts, handing_over, service
from abs_platform.letters.desk_queries import BatchRow, RoundOfLetters
from abs_platform.letters.queries import RunRow, approved_text_id, order_key
from abs_platform.letters.schemas import WithdrawForm, check_sure
from abs_platform.letters.states import FileKind, RunState
from abs_platform.security import signed_in_user, staff_required
from abs_platform.users import Role
from abs_platform.work import service as work
from abs_platform.work.states import WorkKind, WorkState

bp = Blueprint("letters_desk", __name__, url_prefix="/beheer/rondes")

ID = "int(max=9223372036854775807)"
RUN = f"/<{ID}:round_id>/brieven/<{ID}:run_id>"
Answer = str | Response | tuple[str, int]


@bp.get(f"/<{ID}:round_id>/brieven")
@staff_required(Role.COORDINATOR)
def index(round_id: int) -> str:
    """The batches of a round, each with where its letters stand."""
    return _page(round_id, {})


@bp.post(f"/<{ID}:round_id>/brieven/maken/<{ID}:batch_id>")
@staff_required(Role.COORDINATOR)
def make(round_id: int, batch_id: int) -> Answer:
    """Begin the letters of a batch, or go on where it stopped; the job process makes them."""
    user, now = signed_in_user(), clock.now()

    def begin(session: Session) -> None:
        round_ = _round(session, round_id)
        text_id = round_.letter_text_id or approved_text_id(session)
        if text_id is None:
            raise Conflict(_("Keur eerst de tekst van de brief goed. Daarna kun je de brieven maken."))
        if not any(batch.id == batch_id for batch in desk_queries.batches(session, round_id)):
            raise NotFound(_("Deze partij hoort niet bij deze ronde."))
        keys = current_app.extensions["code_keys"]
        run = service.begin_run(session, batch_id, text_id=text_id, keys=keys, actor=user.actor(), now=now)
        if run.state != RunState.MAKING:
            raise Conflict(_("Van deze partij zijn de brieven al gemaakt."))
        work.order(
            session,
            WorkKind.MAKE_LETTERS,
            key=order_key(run.id),
            params={"run_id": run.id},
            account_id=user.account_id,
            now=now,
        )

    return _do(round_id, begin, _("De brieven worden gemaakt. Je mag deze pagina sluiten: het werk gaat door."))


@bp.post(f"{RUN}/bestand/<any(letters, addresses):kind>/<int(max=99999):number>")
@staff_required(Role.COORDINATOR)
def download(round_id: int, run_id: int, kind: str, number: int) -> Answer:
    """One file as the print house gets it. Who takes it stands in the event log: it holds codes."""
    session, user = db.session(), signed_in_user()
    round_, run = _round(session, round_id), _run(session, round_id, run_id)
    file = next((one for one in run.files if (one.kind.value, one.number) == (kind, number)), None)
    if file is None:
        raise NotFound(_("Dit bestand is er niet."))
    db.session.rollback()
    try:
        content = desk_files.read(current_app.extensions["file_store"], run, file, current_app.extensions["code_keys"])
        with transaction() as writing:
            handing_over.note_download(writing, run_id, file, actor=user.actor(), now=clock.now())
    except Conflict as error:
        return _page(round_id, errors_of(error)), int(error.status)
    return _attachment(content, desk_files.name_of(round_.name, run, file), desk_files.TYPES[FileKind(kind)])


@bp.post(f"{RUN}/alles")
@staff_required(Role.COORDINATOR)
def download_all(round_id: int, run_id: int) -> Answer:
    """All files as one ZIP, with the printer's list in it; sent while it is made."""
    session, store = db.session(), current_app.extensions["file_store"]
    round_, run = _round(session, round_id), _run(session, round_id, run_id)
    db.session.rollback()
    try:
        desk_files.check_all_there(store, run)
        with transaction() as writing:
            handing_over.note_all_downloaded(writing, run, actor=signed_in_user().actor(), now=clock.now())
    except Conflict as error:
        return _page(round_id, errors_of(error)), int(error.status)
    pieces = desk_files.all_in_one(round_.name, run, store, current_app.extensions["code_keys"])
    return _attachment(pieces, f"{desk_files.stem_of(round_.name, run)}.zip", "application/zip")


@bp.get(f"{RUN}/controlelijst")
@staff_required(Role.COORDINATOR)
def manifest(round_id: int, run_id: int) -> Response:
    """Every file with its count, size and SHA-256: what the print house holds what it got against. It has no codes."""
    session = db.session()
    round_, run = _round(session, round_id), _run(session, round_id, run_id)
    name = desk_files.stem_of(round_.name, run)
    return _attachment(desk_files.manifest(round_.name, run).encode(), f"{name}-controlelijst.csv", "text/csv")


@bp.get(f"{RUN}/overdragen")
@staff_required(Role.COORDINATOR)
def ask_hand_over(round_id: int, run_id: int) -> str:
    """The counts to look at before the letters go."""
    return _hand_over_page(round_id, run_id, {})


@bp.post(f"{RUN}/overdragen")
@staff_required(Role.COORDINATOR)
def hand_over(round_id: int, run_id: int) -> Answer:
    """Say that the print house has them."""
    session = db.session()
    run = _run(session, round_id, run_id)
    missing = desk_files.missing(current_app.extensions["file_store"], run)
    db.session.rollback()
    try:
        check_sure(request.form, _("Zet een vinkje als de drukker alle bestanden heeft."))
        with transaction() as writing:
            handing_over.hand_over(
                writing,
                run_id,
                seen_letters=_number("letters"),
                seen_files=_number("files"),
                missing=missing,
                actor=signed_in_user().actor(),
                now=clock.now(),
            )
    except (InvalidInput, Conflict) as error:
        return _hand_over_page(round_id, run_id, errors_of(error)), int(error.status)
    flash(_("Overgedragen. De bestanden blijven hier nog %(days)s dagen staan.", days=handing_over.KEPT_DAYS))
    return redirect(url_for(".index", round_id=round_id), HTTPStatus.SEE_OTHER)


@bp.get(f"{RUN}/intrekken")
@staff_required(Role.COORDINATOR)
def ask_withdraw(round_id: int, run_id: int) -> str:
    """What taking back means, and why."""
    return _withdraw_page(round_id, run_id, {})


@bp.post(f"{RUN}/intrekken")
@staff_required(Role.COORDINATOR)
def withdraw(round_id: int, run_id: int) -> Answer:
    """Take the letters back; work that still waits is taken back too."""
    _run(db.session(), round_id, run_id)
    db.session.rollback()
    user, now = signed_in_user(), clock.now()
    try:
        reason = load(WithdrawForm(), request.form)["reason"]
        with transaction() as session:
            handing_over.withdraw(session, run_id, reason=reason, actor=user.actor(), now=now)
            order = desk_queries.order_of_run(session, run_id)
            if order is not None and order.state == WorkState.WAITING:
                work.cancel(session, order.id, actor=user.actor(), now=now)
    except (InvalidInput, Conflict) as error:
        return _withdraw_page(round_id, run_id, errors_of(error)), int(error.status)
    flash(_("De brieven zijn ingetrokken. Je kunt ze opnieuw laten maken."))
    return redirect(url_for(".index", round_id=round_id), HTTPStatus.SEE_OTHER)


def _do(round_id: int, verb: Callable[[Session], None], said: str) -> Answer:
    try:
        with transaction() as session:
            verb(session)
    except (InvalidInput, Conflict) as error:
        return _page(round_id, errors_of(error)), int(error.status)
    flash(said)
    return redirect(url_for(".index", round_id=round_id), HTTPStatus.SEE_OTHER)


def _page(round_id: int, errors: dict[str, str]) -> str:
    session = db.session()
    round_ = _round(session, round_id)
    batches = desk_queries.batches(session, round_id)
    return render_template(
        "letters_desk/round.html",
        round=round_,
        batches=batches,
        doubts={batch.id: _doubts(session, batch) for batch in batches},
        approved_text_id=approved_text_id(session),
        kept_days=handing_over.KEPT_DAYS,
        is_all_handed_over=bool(batches) and all(batch.is_settled for batch in batches),
        busy=next((batch.order for batch in batches if batch.order and batch.order.is_living), None),
        errors=errors,
    )


def _doubts(session: Session, batch: BatchRow) -> list[str]:
    if batch.run is None or batch.run.state == RunState.HANDED_OVER:
        return []
    return doubts.about(session, batch.run, today=clock.today())


def _hand_over_page(round_id: int, run_id: int, errors: dict[str, str]) -> str:
    session = db.session()
    round_, run = _round(session, round_id), _run(session, round_id, run_id)
    missing = desk_files.missing(current_app.extensions["file_store"], run)
    return render_template(
        "letters_desk/hand_over.html",
        round=round_,
        run=run,
        obstacles=handing_over.obstacles(session, run, missing),
        doubts=doubts.about(session, run, today=clock.today()),
        kept_days=handing_over.KEPT_DAYS,
        errors=errors,
    )


def _withdraw_page(round_id: int, run_id: int, errors: dict[str, str]) -> str:
    session = db.session()
    round_, run = _round(session, round_id), _run(session, round_id, run_id)
    return render_template(
        "letters_desk/withdraw.html",
        round=round_,
        run=run,
        can_withdraw=run.state in {RunState.MAKING, RunState.MADE},
        was_downloaded=desk_queries.was_downloaded(session, run_id),
        reason=request.form.get("reason", ""),
        errors=errors,
    )


def _round(session: Session, round_id: int) -> RoundOfLetters:
    found = desk_queries.round_of_letters(session, round_id)
    if found is None:
        raise NotFound(_("Deze ronde bestaat niet."))
    return found


def _run(session: Session, round_id: int, run_id: int) -> RunRow:
    found = desk_queries.run_of_round(session, round_id, run_id)
    if found is None:
        raise NotFound(_("Deze brieven zijn er niet."))
    return found


def _attachment(content: bytes | Iterator[bytes], name: str, content_type: str) -> Response:
    answer = current_app.response_class(content, content_type=content_type)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _number(field: str) -> int:
    text = request.form.get(field, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else -1
