# SPDX-License-Identifier: EUPL-1.2
"""Where organisers enter codes from paper: pasted, typed one by one, or scanned; the answer says what became of each.

The answer is made of the POST itself and kept by nobody. Good codes are not in it; a code that its organiser must look
at again is in it once. For the queue of a phone the same answers come as JSON.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from itertools import islice

from flask import Blueprint, Response, jsonify, make_response, render_template, request
from flask_babel import gettext as _

from abs_platform import clock
from abs_platform.database import db
from abs_platform.errors import NotFound
from abs_platform.initiatives.permissions import Subject
from abs_platform.initiatives.queries import card
from abs_platform.initiatives.subjects import subject_for
from abs_platform.paper import box_queries, queries
from abs_platform.paper.box_queries import BoxRow
from abs_platform.paper.giving import enter_codes
from abs_platform.paper.permissions import can_enter
from abs_platform.paper.schemas import MOST_AT_ONCE, Typed, read_codes
from abs_platform.paper.states import EntryOutcome
from abs_platform.security import current_actor, resident_required, signed_in_user

ID = "int(max=9223372036854775807)"
bp = Blueprint("paper", __name__, url_prefix=f"/account/initiatieven/<{ID}:initiative_id>/papier")

_NUMBER = re.compile(r"[0-9]{1,9}")
CAMERA = "camera=(self), microphone=(), geolocation=(), interest-cohort=()"
# What an organiser looks at again, with the paper at hand.
_SHOWN_AGAIN = frozenset({EntryOutcome.MISTYPED, EntryOutcome.NOT_USABLE, EntryOutcome.LATER})


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of one code. ``code`` is there only when it must be looked at again."""

    number: int
    line: int
    outcome: EntryOutcome
    sentence: str
    code: str = ""


@bp.get("")
@resident_required
def index(initiative_id: int) -> Response:
    """The screen, empty."""
    subject = _own(initiative_id)
    return _page(subject, _box(initiative_id, request.args.get("bus", "")))


@bp.post("")
@resident_required
def enter(initiative_id: int) -> Response:
    """Enter what was sent: one text, or (from the queue) several, each answered apart."""
    subject = _own(initiative_id)
    box = _box(initiative_id, request.form.get("box", ""))
    texts = request.form.getlist("codes")
    typed = [read_codes(text) for text in texts]
    everything = [one for codes in typed for one in codes]
    if len(everything) > MOST_AT_ONCE:
        message = _(
            "Dit zijn %(codes)s codes. Voer er hoogstens %(most)s tegelijk in.",
            codes=len(everything),
            most=MOST_AT_ONCE,
        )
        if _wants_json():
            return make_response(jsonify(message=message), HTTPStatus.UNPROCESSABLE_ENTITY)
        return _page(subject, box, errors={"codes": message}, left="\n".join(one.text for one in everything))
    answers = _enter(initiative_id, box, everything)
    if _wants_json():
        return _as_json(initiative_id, [len(codes) for codes in typed], answers)
    if not everything:
        message = _("Vul eerst een of meer codes in.")
        return _page(subject, box, errors={"codes": message})
    left = [one.code for one in answers if one.outcome in {EntryOutcome.MISTYPED, EntryOutcome.LATER}]
    return _page(subject, box, answers=answers, left="\n".join(left))


def _own(initiative_id: int) -> Subject:
    return subject_for(db.session(), initiative_id, signed_in_user(), can_enter)


def _box(initiative_id: int, number: str) -> BoxRow | None:
    """The box that codes come from. Raises: NotFound for one that is not (any more) of this initiative."""
    if not number:
        return None
    wanted = int(number) if _NUMBER.fullmatch(number) else 0
    found = box_queries.box_of(db.session(), wanted)
    if found is None or found.initiative_id != initiative_id or found.removed_at is not None:
        raise NotFound(_("Deze bus bestaat niet (meer), of hoort bij een ander initiatief."))
    return found


def _enter(initiative_id: int, box: BoxRow | None, everything: list[Typed]) -> list[Answered]:
    """A typing error is answered here, and never reaches the database."""
    payloads = [one.payload for one in everything if one.payload is not None]
    entered = enter_codes(
        payloads,
        initiative_id,
        signed_in_user().account_id,
        box_id=box.id if box else None,
        actor=current_actor(),
        now=clock.now(),
    )
    answers = []
    for number, one in enumerate(everything, start=1):
        if one.payload is None:
            outcome, sentence = EntryOutcome.MISTYPED, f"{EntryOutcome.MISTYPED.sentence} {one.mistake}"
        else:
            answer = next(entered)
            outcome, sentence = answer.outcome, answer.sentence
        code = one.text if outcome in _SHOWN_AGAIN else ""
        answers.append(Answered(number, one.line, outcome, sentence, code))
    return answers


def _wants_json() -> bool:
    return bool(request.accept_mimetypes.best == "application/json")


def _as_json(initiative_id: int, sizes: list[int], answers: list[Answered]) -> Response:
    """The answers to each text that was sent, and the bar as it stands now."""
    told = iter([{"outcome": one.outcome.value, "sentence": one.sentence, "code": one.code} for one in answers])
    shown = [list(islice(told, size)) for size in sizes]
    progress = render_template(
        "paper/_progress.html", initiative=card(db.session(), initiative_id, today=clock.today())
    )
    return _unstored(make_response(jsonify(answers=shown, progress=progress)))


def _page(
    subject: Subject,
    box: BoxRow | None,
    *,
    answers: list[Answered] | None = None,
    left: str = "",
    errors: dict[str, str] | None = None,
) -> Response:
    session = db.session()
    counts: dict[EntryOutcome, int] = {}
    for answer in answers or ():
        counts[answer.outcome] = counts.get(answer.outcome, 0) + 1
    page = render_template(
        "paper/index.html",
        subject=subject,
        box=box,
        initiative=card(session, subject.id, today=clock.today()),
        batches=queries.batches_of(session, subject.id),
        boxes=box_queries.boxes_of(session, subject.id),
        account_id=signed_in_user().account_id,
        answers=answers or [],
        counts=counts,
        left=left,
        errors=errors or {},
        most=MOST_AT_ONCE,
    )
    return _unstored(make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK))


def _unstored(response: Response) -> Response:
    """No cache keeps a page with codes; only here the camera may be asked for."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Permissions-Policy"] = CAMERA
    return response
