# SPDX-License-Identifier: EUPL-1.2
"""The coordinator's settings: each number of the rules with where it comes from, and changing one in two steps."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from abs_platform import clock
from abs_platform.config import Settings
from abs_platform.database import db, transaction
from abs_platform.errors import Conflict, InvalidInput
from abs_platform.form_input import errors_of
from abs_platform.municipality import Rules
from abs_platform.rule_settings import queries, service
from abs_platform.rule_settings.schemas import MAX_REASON, NewValue, read_change, typed
from abs_platform.rule_settings.states import NUMBERS, Number, written
from abs_platform.security import signed_in_user, staff_required
from abs_platform.users import Role

bp = Blueprint("rule_settings", __name__, url_prefix="/beheer/instellingen")

NAME = "<string(maxlength=60):name>"
Answered = str | Response | tuple[str, int]


@bp.get("")
@staff_required(Role.COORDINATOR)
def index() -> str:
    """All numbers: those that may be set, and those that stay in the file."""
    return render_template(
        "rule_settings/index.html",
        numbers=[number for number in NUMBERS if number.may_be_set],
        in_file_only=[number for number in NUMBERS if not number.may_be_set],
        rules=service.current_rules(),
        changes=queries.newest_changes(db.session()),
        written=written,
    )


@bp.get(f"/{NAME}")
@staff_required(Role.COORDINATOR)
def edit(name: str) -> str:
    """One number with its history, and the form to change it."""
    return _page(service.find_number(name), {}, {})


@bp.post(f"/{NAME}")
@staff_required(Role.COORDINATOR)
def change(name: str) -> Answered:
    """The first time: show what would change. Confirmed: change it."""
    number = service.find_number(name)
    try:
        sent = read_change(number, request.form)
        if not sent.is_confirmed:
            service.check_value(number, sent.value, service.current_rules())
            return _confirm_page(number, sent)
        _save(number, sent)
    except (InvalidInput, Conflict) as error:
        db.session.rollback()
        return _page(number, request.form, errors_of(error)), int(error.status)
    flash(_("%(label)s is nu %(value)s.", label=number.label, value=written(number.unit, sent.value)))
    return redirect(url_for(".edit", name=name), HTTPStatus.SEE_OTHER)


def _save(number: Number, sent: NewValue) -> None:
    user = signed_in_user()
    db.session.rollback()
    with transaction() as session:
        service.change_rule(
            session,
            number.name,
            sent.value,
            seen_value=sent.seen_value,
            reason=sent.reason,
            in_file=_in_file(),
            account_id=user.account_id,
            actor=user.actor(),
            now=clock.now(),
        )
    service.forget_rules()


def _in_file() -> Rules:
    settings: Settings = current_app.extensions["settings"]
    return settings.rules


def _page(number: Number, sent: Mapping[str, str], errors: dict[str, str]) -> str:
    rules = service.current_rules()
    value = getattr(rules, number.name)
    return render_template(
        "rule_settings/number.html",
        number=number,
        value=value,
        file_value=getattr(_in_file(), number.name),
        typed_value=sent.get("value", "") or typed(number, value),
        typed_reason=sent.get("reason", ""),
        max_reason=MAX_REASON,
        changes=queries.history(db.session(), number.name),
        written=written,
        errors=errors,
    )


def _confirm_page(number: Number, sent: NewValue) -> str:
    return render_template(
        "rule_settings/confirm.html",
        number=number,
        old=getattr(service.current_rules(), number.name),
        sent=sent,
        typed_value=typed(number, sent.value),
        written=written,
    )
