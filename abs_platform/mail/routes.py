# SPDX-License-Identifier: EUPL-1.2
"""The mails of the demo, for whoever tries it out; in production these pages do not exist."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask_babel import gettext as _

from abs_platform.database import db
from abs_platform.errors import NotFound
from abs_platform.mail import queries
from abs_platform.outbox import MailState, shown
from abs_platform.security import public

bp = Blueprint("mail", __name__, url_prefix="/demo/mail")

MAX_SEARCH = 100


@bp.get("")
@public
def index() -> str:
    """The newest mails, also those that still have to leave; the address holds the search."""
    search = "".join(c for c in request.args.get("zoek", "") if c.isprintable())[:MAX_SEARCH].strip()
    number = request.args.get("pagina", "")
    page = queries.list_mails(
        db.session(),
        search=search,
        page=int(number) if number.isascii() and number.isdecimal() and len(number) < 7 else 1,
    )
    labels = {state.value: state.label for state in MailState}
    return render_template("mail/index.html", page=page, search=search, labels=labels)


@bp.get("/<int:mail_id>")
@public
def show(mail_id: int) -> str:
    """One mail, as text and as HTML."""
    found = queries.one_mail(db.session(), mail_id) if mail_id < 2**63 else None
    if found is None:
        raise NotFound(_("Deze mail bestaat niet (meer). Zoek verder bij de mails."))
    return render_template(
        "mail/show.html",
        mail=found,
        state=MailState(found.state).label,
        html=shown(found.html_body) if found.html_body else None,
    )
