# SPDX-License-Identifier: EUPL-1.2
"""The page of one piece of long work: how far it is, what it came to, and taking it back while it waits."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from abs_platform import clock
from abs_platform.accounts.queries import names_of
from abs_platform.database import db, transaction
from abs_platform.errors import Conflict, NotFound
from abs_platform.security import current_actor, signed_in_user, staff_required
from abs_platform.users import Role
from abs_platform.work import queries, service
from abs_platform.work.permissions import can_cancel
from abs_platform.work.states import WorkKind
from abs_platform.work.words import words_of

bp = Blueprint("work_desk", __name__, url_prefix="/beheer/werk")

ID = "<int(max=9223372036854775807):order_id>"


@bp.app_template_global("work_title")
def work_title(order: queries.WorkOrderView) -> str:
    """What an order is called."""
    if order.kind == WorkKind.RUN_JOB:
        return str(_("Taak: %(name)s", name=words_of(str(order.params.get("job", ""))).label))
    return order.kind.label[:1].upper() + order.kind.label[1:]


@bp.app_template_global("can_cancel_work")
def can_cancel_work(order: queries.WorkOrderView) -> bool:
    """Whether who looks may take this back."""
    return can_cancel(signed_in_user(), order)


@bp.get(f"/{ID}")
@staff_required(Role.COORDINATOR)
def order(order_id: int) -> str:
    """One order. It goes on when this page is closed."""
    found = _find(order_id)
    names = names_of(db.session(), {found.account_id} if found.account_id else ())
    return render_template("work/order.html", order=found, who=names.get(found.account_id or 0, ""))


@bp.get(f"/{ID}/stand")
@staff_required(Role.COORDINATOR)
def part(order_id: int) -> str:
    """How far it is, as a part of a page: progress.js asks for it."""
    return render_template("work/_order.html", order=_find(order_id))


@bp.post(f"/{ID}/intrekken")
@staff_required(Role.COORDINATOR)
def cancel(order_id: int) -> Response:
    """Take it back, while it waits."""
    _find(order_id)
    db.session.rollback()
    try:
        with transaction() as session:
            service.cancel(session, order_id, actor=current_actor(), now=clock.now())
    except Conflict:
        flash(_("Intrekken kan niet meer: het werk is al begonnen."))
    else:
        flash(_("Het werk is ingetrokken. Er is niets gedaan."))
    return redirect(url_for(".order", order_id=order_id), HTTPStatus.SEE_OTHER)


def _find(order_id: int) -> queries.WorkOrderView:
    found = queries.order_of(db.session(), order_id)
    if found is None:
        raise NotFound(_("Dit werk bestaat niet (meer)."))
    return found
