# SPDX-License-Identifier: EUPL-1.2
"""The wizard: an idea is begun, written in short steps that are saved one by one, looked at, and sent."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from werkzeug.wrappers import Response as WerkzeugResponse

from abs_platform import attempts, clock
from abs_platform.areas.queries import list_areas
from abs_platform.config import Settings
from abs_platform.database import db, transaction
from abs_platform.errors import AbsError, Conflict, InvalidInput, TooManyAttempts
from abs_platform.initiatives import proposals
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.permissions import CHANGEABLE_STATES, EDITABLE_STATES, Subject, is_organiser
from abs_platform.initiatives.schemas import load_start, load_step
from abs_platform.initiatives.screens import Screen, screen_of
from abs_platform.initiatives.states import InitiativeState, Theme
from abs_platform.initiatives.steps import MENDED_AT, Step, next_step, step_before
from abs_platform.initiatives.subjects import subject_for, subject_of
from abs_platform.municipality import Rules
from abs_platform.rich_text import without_unseen
from abs_platform.rule_settings.service import current_rules
from abs_platform.rulebook.queries import load_rulebook
from abs_platform.security import current_actor, public, resident_required, signed_in_user, user_or_none

bp = Blueprint("submitting", __name__, url_prefix="/initiatieven")

Answered = str | Response | WerkzeugResponse
ID = "<int(max=9223372036854775807):initiative_id>"
STEP = "<any(" + ", ".join(step.value for step in Step) + "):name>"
STARTS_A_DAY = 20
# The buttons that save and stay, and where on the page one comes back.
_STAYING = {"blijf": "bewaard", "meer": "bewaard", "uitkomst": "uitkomst"}


def settings() -> Settings:
    """The settings of this app."""
    found: Settings = current_app.extensions["settings"]
    return found


def rules() -> Rules:
    """The numbers of the rules of the game."""
    return current_rules()


def own_initiative(initiative_id: int) -> tuple[Subject, Initiative]:
    """An initiative of whoever is signed in. Raises: NotFound."""
    session = db.session()
    subject = subject_for(session, initiative_id, signed_in_user(), is_organiser)
    return subject, session.get_one(Initiative, initiative_id)


@bp.get("/nieuw")
@public
def new() -> str:
    """What one needs, and the way in."""
    return _new_page({}, {})


def _new_page(values: dict[str, str], errors: dict[str, str]) -> str:
    return render_template(
        "initiatives/wizard/new.html",
        is_signed_in=user_or_none() is not None,
        rules=rules(),
        themes=[(theme.value, theme.label) for theme in Theme],
        values=values,
        errors=errors,
    )


@bp.post("/nieuw")
@resident_required
def start() -> Answered:
    """Begin: from now on it is kept."""
    user, now = signed_in_user(), clock.now()
    try:
        title, theme, summary = load_start(request.form)
        with transaction() as session:
            key = attempts.digest(settings().secret_key, str(user.account_id))
            attempts.claim(session, "start-initiative", key, most=STARTS_A_DAY, window=attempts.KEPT / 2, now=now)
            made = proposals.start(
                session, user, title=title, theme=theme, summary=summary, actor=current_actor(), now=now
            )
    except (InvalidInput, Conflict, TooManyAttempts) as error:
        fields = error.fields if isinstance(error, InvalidInput) else {"form": error.message}
        return make_response(_new_page(typed(), fields), error.status)
    flash(_("Je idee is bewaard. Je kunt op elk moment stoppen en later verdergaan."))
    return redirect(url_for(".show_step", initiative_id=made.id, name=Step.STORY.value), HTTPStatus.SEE_OTHER)


@bp.get(f"/{ID}/bewerken")
@resident_required
def overview(initiative_id: int) -> Answered:
    """All steps with what is done; once it was sent, when one hears."""
    _subject, initiative = own_initiative(initiative_id)
    return render_template("initiatives/wizard/overview.html", screen=read_screen(initiative))


def read_screen(initiative: Initiative, step: Step | None = None, values: dict[str, str] | None = None) -> Screen:
    """A screen for who is signed in."""
    session, user = db.session(), signed_in_user()
    subject = subject_of(session, initiative.id)
    return screen_of(session, initiative, rules=rules(), user=user, subject=subject, step=step, values=values)


@bp.get(f"/{ID}/bewerken/{STEP}")
@resident_required
def show_step(initiative_id: int, name: str) -> Answered:
    """One step."""
    _subject, initiative = own_initiative(initiative_id)
    state = InitiativeState(initiative.state)
    if state not in EDITABLE_STATES | CHANGEABLE_STATES:
        return redirect(url_for(".overview", initiative_id=initiative_id))
    return step_page(initiative, Step(name))


def step_page(
    initiative: Initiative,
    step: Step,
    *,
    values: dict[str, str] | None = None,
    error: AbsError | None = None,
    **more: Any,
) -> Response:
    """A step, as it is kept or as it was typed, with what is wrong."""
    screen = read_screen(initiative, step, values)
    errors: dict[str, str] = {}
    if error is not None:
        fields = error.fields if isinstance(error, InvalidInput) else {}
        if step == Step.CHECK:  # what is mended at another step stands in the list of what is missing
            fields = {field: sentence for field, sentence in fields.items() if field not in MENDED_AT}
        errors = fields or {"form": error.message}
    context = {"screen": screen, "errors": errors, "conflicts": _conflicts(screen, error)} | more
    page = render_template(f"initiatives/wizard/{step.value}.html", **context)
    response = make_response(page, error.status if error else HTTPStatus.OK)
    if step == Step.PLACE:  # the one page that may ask a phone where it is
        response.headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=(self), interest-cohort=()"
    return response


def _conflicts(screen: Screen, error: AbsError | None) -> list[tuple[str, str]]:
    """What somebody else made of the fields of this step in the meantime, for who typed something else."""
    if not isinstance(error, Conflict) or screen.step is None:
        return []
    return screen.kept_now()


@bp.post(f"/{ID}/bewerken/{STEP}")
@resident_required
def save_step(initiative_id: int, name: str) -> Answered:
    """Keep what was typed, and go on to where the pressed button leads."""
    _subject, initiative = own_initiative(initiative_id)
    step, now, state = Step(name), clock.now(), InitiativeState(initiative.state)
    try:
        changes = load_step(
            step,
            request.form,
            area_ids={area.id for area in list_areas(db.session())} if step == Step.PLACE else set(),
            rulebook=load_rulebook(db.session()),
            rules=rules(),
            today=clock.local_date(now),
        )
        with transaction() as session:
            account_id = signed_in_user().account_id
            kept = proposals.save(
                session, initiative_id, changes, version=sent_version(), account_id=account_id, now=now
            )
            version = kept.version
    except (InvalidInput, Conflict) as error:
        if wants_json():
            return make_response(jsonify(message=error.message), error.status)
        db.session.expire_all()
        return step_page(initiative, step, values=typed(), error=error)
    if wants_json():
        return jsonify(version=version)
    return redirect(way_on(initiative_id, step, state), HTTPStatus.SEE_OTHER)


def typed() -> dict[str, str]:
    """What was sent, to be shown again: without what cannot be seen, or stand in a page."""
    return {name: without_unseen(text) for name, text in request.form.items()}


def wants_json() -> bool:
    """Whether the script asks, that saves while one types."""
    return bool(request.accept_mimetypes.best == "application/json")


def sent_version() -> int:
    """The version that the writer had before her."""
    sent = request.form.get("version", "")
    return int(sent) if sent.isascii() and sent.isdecimal() and len(sent) < 10 else 0


def read_button() -> tuple[str, int]:
    """What the pressed button asks, and of which row: "weg-12" is "weg" of 12."""
    pressed, _dash, number = request.form.get("naar", "").partition("-")
    return pressed, int(number) if number.isascii() and number.isdecimal() and len(number) < 19 else 0


def way_on(initiative_id: int, step: Step, state: InitiativeState) -> str:
    """Where the pressed button leads."""
    pressed = request.form.get("naar", "")
    if pressed == "later":
        flash(_("Bewaard. Je kunt hier altijd verdergaan."))
        return url_for("accounts.home")
    if pressed in _STAYING:
        flash(_("Bewaard."))
        return url_for(".show_step", initiative_id=initiative_id, name=step.value, _anchor=_STAYING[pressed])
    to = step_before(step, state) if pressed == "terug" else next_step(step, state)
    return url_for(".show_step", initiative_id=initiative_id, name=(to or step).value)
