# SPDX-License-Identifier: EUPL-1.2
"""The pages of words that everybody reads: how it works, the rules, questions, and who we are."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, current_app, render_template, request

from abs_platform import clock
from abs_platform.areas.queries import help_by_district
from abs_platform.config import Settings
from abs_platform.database import db
from abs_platform.languages import current_language, prefix_of
from abs_platform.rounds.queries import open_round
from abs_platform.rule_settings.service import current_rules
from abs_platform.security import public
from abs_platform.site_texts.content import Document, read_text
from abs_platform.site_texts.placeholders import conditions_now, values_of
from abs_platform.site_texts.queries import text_of
from abs_platform.site_texts.searching import found_in
from abs_platform.site_texts.states import SitePage

bp = Blueprint("site_texts", __name__)

PAGES = ", ".join(f'"{page.value}"' for page in SitePage)
MAX_SEARCH = 100
# Pages with a look of their own.
TEMPLATES = {
    SitePage.HOW_IT_WORKS: "site_texts/how_it_works.html",
    SitePage.QUESTIONS: "site_texts/questions.html",
    SitePage.CONTACT: "site_texts/contact.html",
}


@bp.get(f"/<any({PAGES}):page>")
@public
def show(page: str) -> str:
    """One text, filled in with what holds today."""
    which, session = SitePage(page), db.session()
    text = text_of(session, which, current_language())
    document = shown(text.body)
    search = request.args.get("zoek", "").strip()[:MAX_SEARCH] if which is SitePage.QUESTIONS else ""
    return render_template(
        TEMPLATES.get(which, "site_texts/show.html"),
        page=which,
        text=text,
        document=document,
        search=search,
        found=found_in(document, search) if search else None,
        help_points=[row for row in help_by_district(session) if row.point] if which is SitePage.CONTACT else [],
    )


def shown(body: str, language: str | None = None) -> Document:
    """A text as its page shows it today; on a page of staff, ``language`` says which prefix its links get."""
    settings: Settings = current_app.extensions["settings"]
    going_on = open_round(db.session(), clock.now())
    return read_text(
        body,
        values_of(settings.municipality, current_rules(), going_on, address=settings.base_url),
        conditions_now(going_on, takes_money=bool(current_app.extensions.get("payments"))),
        root=request.script_root if language is None else prefix_of(language),
        site_host=urlsplit(settings.base_url).netloc,
    )
