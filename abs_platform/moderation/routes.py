# SPDX-License-Identifier: EUPL-1.2
"""The desk: what waits, one screen per initiative, and what is done there besides deciding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from abs_platform import clock
from abs_platform.areas.queries import AreaRow, list_areas
from abs_platform.areas.states import AreaLevel
from abs_platform.database import db, transaction
from abs_platform.errors import AbsError, Conflict, InvalidInput, NotFound
from abs_platform.form_input import errors_of
from abs_platform.initiatives.permissions import SENT_STATES, Subject
from abs_platform.initiatives.states import InitiativeState, NeedKind
from abs_platform.initiatives.subjects import subject_of
from abs_platform.moderation import permissions, queries, queue, schemas, service
from abs_platform.moderation.dossier import desk_label, open_dossier
from abs_platform.moderation.states import WaitingKind
from abs_platform.municipality import Rules
from abs_platform.rule_settings.service import current_rules
from abs_platform.rulebook.states import Answer
from abs_platform.security import signed_in_user, staff_required
from abs_platform.users import User

bp = Blueprint("desk", __name__, url_prefix="/regie")

ID = "int(max=9223372036854775807)"
Answered = str | Response | tuple[str, int]


@dataclass(slots=True)
class Forms:
    """What was typed on the screen of an initiative, and what is wrong with it, field by field."""

    kind: str = ""
    reason: str = ""
    to_area_id: int | None = None
    message: str = ""
    note: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def sent(cls, error: AbsError | None = None) -> Forms:
        """As it was sent, with the sentences of an error beside their fields."""
        form = request.form
        return cls(
            kind=form.get("kind", ""),
            reason=schemas.plain_text(form.get("reason", "")),
            to_area_id=schemas.read_number(form.get("to_area_id")),
            message=schemas.plain_text(form.get("message", "")),
            note=schemas.plain_text(form.get("note", "")),
            errors=errors_of(error) if error is not None else {},
        )


@bp.get("")
@staff_required("district_manager", "coordinator")
def index() -> str:
    """What waits, oldest first."""
    return _list_page(queue.waiting, "moderation/index.html", "desk.index")


@bp.get("/initiatieven")
@staff_required("district_manager", "coordinator")
def initiatives() -> str:
    """All initiatives that were ever sent."""
    return _list_page(queue.everything, "moderation/initiatives.html", "desk.initiatives")


def _list_page(read: Callable[..., queue.Queue], template: str, endpoint: str) -> str:
    session, user, now = db.session(), signed_in_user(), clock.now()
    desks = list_areas(session, AreaLevel.DISTRICT, AreaLevel.MUNICIPALITY)
    filters, kept = schemas.read_filters(request.args, user, desks)
    found = read(session, filters, now=now, days=rules().answer_working_days, page=schemas.read_page(request.args))
    borrowed = user.desk_area_ids - user.own_area_ids
    return render_template(
        template,
        queue=found,
        filters=filters,
        kept=kept,
        endpoint=endpoint,
        desk_names={desk.id: desk_label(desk) for desk in desks},
        desk_options=_desk_options(desks, found.counts, user),
        borrowed=queries.stands_in_for(session, user.account_id, clock.local_date(now)) if borrowed else {},
        user=user,
        kinds=list(WaitingKind),
        kind_labels={kind: kind.label.capitalize() for kind in WaitingKind},
        state_labels={state: state.label for state in InitiativeState},
        states=[state for state in InitiativeState if state in SENT_STATES],
        chosen_desk=kept.get("balie", schemas.OWN_DESKS if user.desk_area_ids else schemas.ALL_DESKS),
    )


def _desk_options(desks: list[AreaRow], counts: queue.Counts, user: User) -> list[tuple[str, str, int]]:
    """The choices of the filter: value, label and count; own desks first."""
    own = sum(counts.desks.get(area_id, 0) for area_id in user.desk_area_ids)
    options = [(schemas.OWN_DESKS, str(_("Mijn balies")), own)] if user.desk_area_ids else []
    options.append((schemas.ALL_DESKS, str(_("Alle balies")), sum(counts.desks.values())))
    named = sorted(desks, key=lambda desk: (desk.level != AreaLevel.MUNICIPALITY, desk.name.casefold()))
    return options + [(desk.slug, desk_label(desk), counts.desks.get(desk.id, 0)) for desk in named]


@bp.get(f"/initiatieven/<{ID}:initiative_id>")
@staff_required("district_manager", "coordinator")
def show(initiative_id: int) -> str:
    """Everything about one initiative."""
    return show_page(subject_to_open(db.session(), initiative_id), None)


@bp.post(f"/initiatieven/<{ID}:initiative_id>/oppakken")
@staff_required("district_manager", "coordinator")
def take_up(initiative_id: int) -> Answered:
    """I deal with this one."""
    seen = schemas.read_number(request.form.get("handler")) or 0

    def do(session: Session, user: User) -> None:
        service.take_up(session, initiative_id, seen_handler_id=seen, user=user, now=clock.now())

    return _do(initiative_id, do, _("Jij hebt dit opgepakt. De organisatoren zien je naam."))


@bp.post(f"/initiatieven/<{ID}:initiative_id>/terugleggen")
@staff_required("district_manager", "coordinator")
def release(initiative_id: int) -> Answered:
    """I do not deal with this one any more."""
    return _do(
        initiative_id,
        lambda session, user: service.release(session, initiative_id, user=user, now=clock.now()),
        _("Je hebt dit teruggelegd. Een collega kan het nu oppakken."),
    )


@bp.post(f"/initiatieven/<{ID}:initiative_id>/checklist")
@staff_required("district_manager", "coordinator")
def checklist(initiative_id: int) -> Answered:
    """Keep the ticks."""
    form: MultiDict[str, str] = request.form

    def do(session: Session, user: User) -> None:
        service.keep_checklist(
            session,
            initiative_id,
            shown=form.getlist("shown"),
            seen=form.getlist("seen"),
            ticked=form.getlist("ticked"),
            user=user,
            now=clock.now(),
        )

    return _do(initiative_id, do, _("De checklist is bewaard."), "checklist")


@bp.post(f"/initiatieven/<{ID}:initiative_id>/notities")
@staff_required("district_manager", "coordinator")
def note(initiative_id: int) -> Answered:
    """Leave a note for colleagues."""
    text = schemas.plain_text(request.form.get("note", ""))
    return _do(
        initiative_id,
        lambda session, user: service.add_note(session, initiative_id, text, user=user, now=clock.now()),
        _("Je notitie staat erbij. Alleen collega's zien hem."),
        "notities",
    )


@bp.post(f"/initiatieven/<{ID}:initiative_id>/berichten")
@staff_required("district_manager", "coordinator")
def message(initiative_id: int) -> Answered:
    """Write to the organisers."""
    text = schemas.plain_text(request.form.get("message", ""))

    def do(session: Session, user: User) -> str:
        sent = service.write_to_organisers(session, initiative_id, text, user=user, now=clock.now())
        count = len(sent.recipient_ids)
        told: str = ngettext(
            "Je bericht is verstuurd, aan %(num)s organisator.",
            "Je bericht is verstuurd, aan %(num)s organisatoren.",
            count,
        )
        return told

    return _do(initiative_id, do, "", "gesprek")


@bp.post(f"/initiatieven/<{ID}:initiative_id>/berichten/afgehandeld")
@staff_required("district_manager", "coordinator")
def handled(initiative_id: int) -> Answered:
    """What the organisers wrote needs no answer."""
    return _do(
        initiative_id,
        lambda session, user: service.mark_handled(session, initiative_id, user=user, now=clock.now()),
        _("Het bericht wacht niet meer. De organisatoren krijgen geen mail."),
        "gesprek",
    )


def _do(initiative_id: int, do: Callable[[Session, User], str | None], told: str, anchor: str = "") -> Answered:
    """Do something in a transaction and go back to the screen, or show it again with what went wrong."""
    user = signed_in_user()
    subject = subject_to_open(db.session(), initiative_id)
    db.session.rollback()
    try:
        with transaction() as session:
            said = do(session, user)
    except (InvalidInput, Conflict) as error:
        return show_page(subject, Forms.sent(error)), int(error.status)
    flash(said or told)
    return redirect(url_for("desk.show", initiative_id=initiative_id, _anchor=anchor or None), HTTPStatus.SEE_OTHER)


def subject_to_open(session: Session, initiative_id: int) -> Subject:
    """The initiative, for who may look behind its scenes. Raises: NotFound for a draft, NotAllowed."""
    subject, user = subject_of(session, initiative_id), signed_in_user()
    if subject.state not in SENT_STATES or subject.desk_area_id is None:
        raise NotFound(_("Dit initiatief is nog niet verstuurd, of het bestaat niet (meer)."))
    if not permissions.can_open(user, subject):
        raise service.refusal(session, subject, user, clock.now())
    return subject


def show_page(subject: Subject, forms: Forms | None, notice: str = "", errors: dict[str, str] | None = None) -> str:
    """The screen; with the forms as they were sent when something was wrong, else with the reader's own draft."""
    session, user = db.session(), signed_in_user()
    dossier = open_dossier(session, subject, user=user, rules=rules(), now=clock.now())
    if forms is None:
        draft = dossier.own_draft
        forms = Forms(kind=draft.kind, reason=draft.reason, to_area_id=draft.to_area_id) if draft else Forms()
        forms.errors = errors or {}
    return render_template(
        "moderation/show.html",
        dossier=dossier,
        forms=forms,
        notice=notice,
        user=user,
        rules=rules(),
        need_labels={kind.value: kind.label for kind in NeedKind},
        answer_labels={answer.value: answer.label for answer in Answer},
    )


def rules() -> Rules:
    """The numbers of the rules of the game."""
    found: Rules = current_rules()
    return found
