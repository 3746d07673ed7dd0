# SPDX-License-Identifier: EUPL-1.2
"""Finance's pages of bank statements: send one, read what it did, and see the earlier ones."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from abs_platform import clock
from abs_platform.config import Settings
from abs_platform.database import db, transaction
from abs_platform.errors import Conflict, InvalidInput, NotFound
from abs_platform.finance.queries import books_are_broken
from abs_platform.form_input import errors_of
from abs_platform.payouts import batch_queries, statements
from abs_platform.payouts.xml_files import MOST_BYTES
from abs_platform.security import signed_in_user, staff_required
from abs_platform.uploads import accepts_upload
from abs_platform.users import Role

ID = "int(max=9223372036854775807)"
bp = Blueprint("statements", __name__, url_prefix="/financien/afschriften")


@bp.get("")
@staff_required(Role.FINANCE)
def index() -> str:
    """The form, and the statements of before."""
    return _index_page({})


@bp.post("")
@staff_required(Role.FINANCE)
@accepts_upload
def take_in() -> Response | tuple[str, int]:
    """Read a statement and apply it; its page tells what it did."""
    sent = request.files.get("statement")
    content = sent.stream.read(MOST_BYTES + 1) if sent else b""
    try:
        with transaction() as session:
            statement_id = statements.take_in(
                session, content, account=_settings().bank_account, user=signed_in_user(), now=clock.now()
            )
    except (InvalidInput, Conflict) as error:
        return _index_page(errors_of(error)), int(error.status)
    flash(_("Het afschrift is verwerkt."))
    return redirect(url_for(".show", statement_id=statement_id), HTTPStatus.SEE_OTHER)


@bp.get(f"/<{ID}:statement_id>")
@staff_required(Role.FINANCE)
def show(statement_id: int) -> str:
    """The report of one statement."""
    session = db.session()
    statement = batch_queries.find_statement(session, statement_id)
    if statement is None:
        raise NotFound(_("Dit afschrift is er niet."))
    return render_template(
        "payouts/statement.html",
        user=signed_in_user(),
        statement=statement,
        lines=batch_queries.lines_of(session, statement_id),
        is_broken=books_are_broken(session),
    )


def _index_page(errors: dict[str, str]) -> str:
    session, number = db.session(), request.args.get("pagina", "")
    page = int(number) if number.isascii() and number.isdecimal() and len(number) < 7 else 1
    return render_template(
        "payouts/statements.html",
        user=signed_in_user(),
        statements=batch_queries.statements(session, page),
        account=_settings().bank_account,
        demo_url=url_for("demo.bank_statement") if "demo" in current_app.blueprints else "",
        is_broken=books_are_broken(session),
        errors=errors,
    )


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings
