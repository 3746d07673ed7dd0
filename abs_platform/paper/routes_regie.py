# SPDX-License-Identifier: EUPL-1.2
"""Paper at the desk: large batches that wait for a decision, batches and boxes in numbers, what stands out on top."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from abs_platform import clock
from abs_platform.database import db, transaction
from abs_platform.errors import Conflict, InvalidInput, NotFound
from abs_platform.form_input import errors_of, load
from abs_platform.initiatives.subjects import subject_for
from abs_platform.paper import box_queries, queries, service
from abs_platform.paper.giving import Released, give_released
from abs_platform.paper.permissions import can_decide, can_look
from abs_platform.paper.queries import BatchRow
from abs_platform.paper.schemas import ReasonForm
from abs_platform.paper.states import BatchState
from abs_platform.security import current_actor, signed_in_user, staff_required

ID = "int(max=9223372036854775807)"
bp = Blueprint("paper_regie", __name__, url_prefix="/regie")

# So many codes are given while the wijkregisseur waits; the job does the rest.
GIVEN_AT_ONCE = 200


@bp.get("/papier")
@staff_required("district_manager", "coordinator")
def index() -> str:
    """The batches of the own desks; the coordinator sees all."""
    return render_template("paper/desk.html", found=queries.desk_batches(db.session(), _desks()))


@bp.get(f"/papier/<{ID}:batch_id>")
@staff_required("district_manager", "coordinator")
def show(batch_id: int) -> str:
    """One batch in numbers; for who decides, the choice."""
    batch = _batch(batch_id)
    return _page(batch, {}, {})


@bp.post(f"/papier/<{ID}:batch_id>")
@staff_required("district_manager", "coordinator")
def decide(batch_id: int) -> str | Response | tuple[str, int]:
    """Release or refuse what waits."""
    batch = _batch(batch_id)
    subject_for(db.session(), batch.initiative_id, signed_in_user(), can_decide)
    try:
        flash(_release(batch_id) if request.form.get("decision") == "release" else _refuse(batch_id))
    except (InvalidInput, Conflict) as error:
        return _page(_batch(batch_id), request.form, errors_of(error)), int(error.status)
    return redirect(url_for(".show", batch_id=batch_id), HTTPStatus.SEE_OTHER)


@bp.get("/bussen")
@staff_required("district_manager", "coordinator")
def boxes() -> str:
    """The collection boxes, what stands out on top."""
    return render_template("paper/desk_boxes.html", boxes=box_queries.desk_boxes(db.session(), _desks()))


def _desks() -> frozenset[int] | None:
    user = signed_in_user()
    return None if user.is_coordinator else user.desk_area_ids


def _batch(batch_id: int) -> BatchRow:
    """A batch that this person may see. Raises: NotFound, NotAllowed."""
    batch = queries.batch_of(db.session(), batch_id)
    if batch is None:
        raise NotFound(_("Deze lijst met codes bestaat niet (meer)."))
    subject_for(db.session(), batch.initiative_id, signed_in_user(), can_look)
    return batch


def _release(batch_id: int) -> str:
    if request.form.get("is_sure") != "1":
        sentence = _("Vink aan dat je het hebt bekeken.")
        raise InvalidInput(sentence, fields={"is_sure": sentence})
    actor, user, now = current_actor(), signed_in_user(), clock.now()
    with transaction() as session:
        service.release(session, batch_id, actor=actor, by_id=user.account_id, now=now)
    done = give_released(batch_id, actor=actor, now=now, most=GIVEN_AT_ONCE)
    return " ".join(_told(done))


def _told(done: Released) -> Iterator[str]:
    yield ngettext(
        "Vrijgegeven: %(num)s voucher is gegeven.", "Vrijgegeven: %(num)s vouchers zijn gegeven.", done.given
    )
    if done.left:
        yield ngettext(
            "%(num)s kon niet meer en blijft van het huishouden.",
            "%(num)s konden niet meer en blijven van de huishoudens.",
            done.left,
        )
    if done.remaining:
        yield ngettext("%(num)s volgt binnen een kwartier.", "%(num)s volgen binnen een kwartier.", done.remaining)


def _refuse(batch_id: int) -> str:
    reason, user = load(ReasonForm(), request.form)["reason"], signed_in_user()
    with transaction() as session:
        service.refuse(session, batch_id, reason, actor=current_actor(), by_id=user.account_id, now=clock.now())
    return str(_("Afgekeurd. De vouchers blijven van de huishoudens. Wie ze invoerde, krijgt een mail met je reden."))


def _page(batch: BatchRow, values: object, errors: dict[str, str]) -> str:
    user = signed_in_user()
    may_decide = batch.state == BatchState.WAITING and batch.desk_area_id in user.desk_area_ids
    return render_template("paper/batch.html", batch=batch, may_decide=may_decide, values=values, errors=errors)
