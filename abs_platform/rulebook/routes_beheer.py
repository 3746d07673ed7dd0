# SPDX-License-Identifier: EUPL-1.2
"""Where the coordinator edits the rules check: questions, advices, their order, and a preview."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TypedDict

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from abs_platform import clock, working_days
from abs_platform.actors import Actor
from abs_platform.database import db, transaction
from abs_platform.errors import Conflict, InvalidInput, NotFound
from abs_platform.rule_settings.service import current_rules
from abs_platform.rulebook import queries, schemas, service
from abs_platform.rulebook.states import AdviceKind, Answer
from abs_platform.security import current_actor, staff_required

bp = Blueprint("rulebook", __name__, url_prefix="/beheer/regels")

_ID = "int(max=9223372036854775807)"
_QUESTION_FIELDS = tuple(service.QuestionInput.__dataclass_fields__)
_ADVICE_FIELDS = tuple(service.AdviceInput.__dataclass_fields__)

Answered = Response | tuple[str, int]
Errors = dict[str, str]


class _Edit(TypedDict):
    actor: Actor
    now: dt.datetime


@bp.get("")
@staff_required("coordinator")
def index() -> str:
    """All questions and advices in their order, also what is switched off."""
    return _index_page({})


@bp.get("/voorbeeld")
@staff_required("coordinator")
def preview() -> str:
    """The rules check as residents see it, with what these answers lead to."""
    rulebook = queries.load_rulebook(db.session())
    answers = {question.key: request.args.get(question.key, "") for question in rulebook.questions}
    assessment = None
    if any(answers.values()):
        answer_by = working_days.answer_by(clock.now(), current_rules().answer_working_days)
        assessment = queries.assess(rulebook, answers, clock.today(), answer_by)
    return render_template("rulebook/preview.html", rulebook=rulebook, answers=answers, assessment=assessment)


@bp.get("/vraag/nieuw")
@staff_required("coordinator")
def new_question() -> str:
    """An empty question."""
    return _question_page(None, {})


@bp.post("/vraag/nieuw")
@staff_required("coordinator")
def add_question() -> Answered:
    """Add a question at the end."""

    def save() -> Response:
        new = schemas.load_question(request.form)
        with transaction() as session:
            question_id = service.add_question(session, new, **_edit()).id
        return _to_question(question_id, _("De vraag staat erbij. Voeg nu adviezen toe."))

    return _or_again(save, lambda errors: _question_page(None, request.form, errors))


@bp.get(f"/vraag/<{_ID}:question_id>")
@staff_required("coordinator")
def edit_question(question_id: int) -> str:
    """One question with its advices."""
    question = _question(question_id)
    return _question_page(question, _values(question, _QUESTION_FIELDS))


@bp.post(f"/vraag/<{_ID}:question_id>")
@staff_required("coordinator")
def change_question(question_id: int) -> Answered:
    """Change its words."""

    def save() -> Response:
        new = schemas.load_question(request.form)
        with transaction() as session:
            service.change_question(session, question_id, new, version=_number("version"), **_edit())
        return _to_question(question_id, _("De vraag is opgeslagen."))

    return _or_again(save, lambda errors: _question_page(_question(question_id), request.form, errors))


@bp.post(f"/vraag/<{_ID}:question_id>/aan-of-uit")
@staff_required("coordinator")
def switch_question(question_id: int) -> Answered:
    """Ask it, or ask it no longer."""
    is_on = request.form.get("aan") == "1"

    def save() -> Response:
        with transaction() as session:
            service.switch_question(session, question_id, is_active=is_on, version=_number("version"), **_edit())
        flash(_("De vraag staat aan.") if is_on else _("De vraag staat uit. Eerdere antwoorden blijven bewaard."))
        return redirect(url_for(".index", _anchor=f"vraag-{question_id}"), HTTPStatus.SEE_OTHER)

    return _or_again(save, _index_page)


@bp.post(f"/vraag/<{_ID}:question_id>/plaats")
@staff_required("coordinator")
def move_question(question_id: int) -> Answered:
    """Move it up or down by one."""

    def save() -> Response:
        with transaction() as session:
            service.move_question(session, question_id, _direction(), seen_position=_number("position"), **_edit())
        return redirect(url_for(".index", _anchor=f"vraag-{question_id}"), HTTPStatus.SEE_OTHER)

    return _or_again(save, _index_page)


@bp.get(f"/vraag/<{_ID}:question_id>/advies")
@staff_required("coordinator")
def new_advice(question_id: int) -> str:
    """An empty advice behind one of the answers."""
    return _advice_page(_question(question_id), None, {"answer": request.args.get("antwoord", ""), "lead_days": "0"})


@bp.post(f"/vraag/<{_ID}:question_id>/advies")
@staff_required("coordinator")
def add_advice(question_id: int) -> Answered:
    """Add an advice."""

    def save() -> Response:
        new = schemas.load_advice(request.form)
        with transaction() as session:
            service.add_advice(session, question_id, new, **_edit())
        return _to_question(question_id, _("Het advies staat erbij."))

    return _or_again(save, lambda errors: _advice_page(_question(question_id), None, request.form, errors))


@bp.get(f"/advies/<{_ID}:advice_id>")
@staff_required("coordinator")
def edit_advice(advice_id: int) -> str:
    """One advice."""
    question, advice = _advice(advice_id)
    return _advice_page(question, advice, _values(advice, _ADVICE_FIELDS))


@bp.post(f"/advies/<{_ID}:advice_id>")
@staff_required("coordinator")
def change_advice(advice_id: int) -> Answered:
    """Change it."""

    def save() -> Response:
        new = schemas.load_advice(request.form)
        with transaction() as session:
            changed = service.change_advice(session, advice_id, new, version=_number("version"), **_edit())
            question_id = changed.question_id
        return _to_question(question_id, _("Het advies is opgeslagen."))

    return _or_again(save, lambda errors: _advice_page(*_advice(advice_id), request.form, errors))


@bp.post(f"/advies/<{_ID}:advice_id>/aan-of-uit")
@staff_required("coordinator")
def switch_advice(advice_id: int) -> Answered:
    """Give it, or give it no longer."""
    is_on = request.form.get("aan") == "1"

    def save() -> Response:
        with transaction() as session:
            advice = service.switch_advice(session, advice_id, is_active=is_on, version=_number("version"), **_edit())
            question_id = advice.question_id
        return _to_question(question_id, _("Het advies staat aan.") if is_on else _("Het advies staat uit."))

    return _or_again(save, lambda errors: _question_of_advice_page(advice_id, errors))


@bp.post(f"/advies/<{_ID}:advice_id>/plaats")
@staff_required("coordinator")
def move_advice(advice_id: int) -> Answered:
    """Move it up or down by one among those of the same answer."""

    def save() -> Response:
        with transaction() as session:
            moved = service.move_advice(session, advice_id, _direction(), seen_position=_number("position"), **_edit())
            question_id = moved.question_id
        return redirect(
            url_for(".edit_question", question_id=question_id, _anchor=f"advies-{advice_id}"), HTTPStatus.SEE_OTHER
        )

    return _or_again(save, lambda errors: _question_of_advice_page(advice_id, errors))


def _or_again(save: Callable[[], Response], page: Callable[[Errors], str]) -> Answered:
    """Save and go on, or show the page again with what was typed; after a Conflict beside what is there now."""
    try:
        return save()
    except InvalidInput as error:
        return page(error.fields), int(error.status)
    except Conflict as error:
        return page({"form": error.message}), int(error.status)


def _edit() -> _Edit:
    return {"actor": current_actor(), "now": clock.now()}


def _number(field: str) -> int:
    """A number that the page carried; 0, which no row has, when it is none."""
    text = request.form.get(field, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _direction() -> service.Direction:
    return "up" if request.form.get("richting") == "omhoog" else "down"


def _values(row: queries.Question | queries.Advice, fields: tuple[str, ...]) -> dict[str, str]:
    return {name: str(getattr(row, name)) for name in fields}


def _question(question_id: int) -> queries.Question:
    rulebook = queries.load_rulebook(db.session(), with_inactive=True)
    for question in rulebook.questions:
        if question.id == question_id:
            return question
    raise NotFound(_("Deze vraag bestaat niet (meer). Ga terug naar het overzicht."))


def _advice(advice_id: int) -> tuple[queries.Question, queries.Advice]:
    rulebook = queries.load_rulebook(db.session(), with_inactive=True)
    for question in rulebook.questions:
        for advice in question.advices:
            if advice.id == advice_id:
                return question, advice
    raise NotFound(_("Dit advies bestaat niet (meer). Ga terug naar het overzicht."))


def _to_question(question_id: int, message: str) -> Response:
    flash(message)
    return redirect(url_for(".edit_question", question_id=question_id), HTTPStatus.SEE_OTHER)


def _index_page(errors: Errors) -> str:
    rulebook = queries.load_rulebook(db.session(), with_inactive=True)
    return render_template("rulebook/index.html", rulebook=rulebook, errors=errors)


def _question_page(question: queries.Question | None, values: Mapping[str, str], errors: Errors | None = None) -> str:
    return render_template(
        "rulebook/question.html", question=question, values=values, errors=errors or {}, answers=list(Answer)
    )


def _question_of_advice_page(advice_id: int, errors: Errors) -> str:
    question, _seen = _advice(advice_id)
    return _question_page(question, _values(question, _QUESTION_FIELDS), errors)


def _advice_page(
    question: queries.Question,
    advice: queries.Advice | None,
    values: Mapping[str, str],
    errors: Errors | None = None,
) -> str:
    return render_template(
        "rulebook/advice.html",
        question=question,
        advice=advice,
        values=values,
        errors=errors or {},
        answer_options=[(answer.value, answer.label.capitalize()) for answer in Answer],
        kind_options=[(kind.value, kind.label.capitalize()) for kind in AdviceKind],
    )
