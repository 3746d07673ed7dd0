# SPDX-License-Identifier: EUPL-1.2
"""No page escapes axe: a route that no journey looks at is looked at here, phone and desktop.

Light and dark are asked on the phone: the colours are the same on a wide screen. The pages are those of the town of
``tests/permissions``, where everybody may enter something of everything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from flask import Flask
from playwright.sync_api import Route

from abs_platform.security import access_of
from tests.browser.conftest import PHONE, Browsers
from tests.browser.visitor import Visitor
from tests.permissions import conftest as permissions
from tests.permissions.table import Entry
from tests.permissions.test_hostile_texts import is_html, pages
from tests.permissions.test_object_routes import routes
from tests.permissions.town import (
    ANONYMOUS,
    AT_THE_DESK,
    COORDINATOR,
    FINANCE,
    INITIATOR,
    OWN,
    RESIDENT,
    Town,
    filled,
)

pytestmark = pytest.mark.browser

URL = "https://almelo.example"
PICTURE = '<svg xmlns="http://www.w3.org/2000/svg"/>'
STAFF = {"coordinator": COORDINATOR, "district_manager": OWN, "finance": FINANCE, "desk": AT_THE_DESK}
# Which test looks at a page already: axe in full, and mostly with what people typed in it.
JOURNEYS = {
    "activities": "activities.ask_add activities.ask_cancel activities.index",
    "addresses": """
        addresses_desk.ask_apply addresses_desk.ask_end addresses_desk.ask_files addresses_desk.ask_split
        addresses_desk.index addresses_desk.new addresses_desk.report addresses_desk.search
        addresses_desk.show
    """,
    "after_publishing": """
        accountability.cost accountability.costs accountability.overview accountability.photos
        accountability.story accountability_regie.review help_offers.index help_offers.mine
        help_offers.offer organisers.ask_begin organisers.home organisers.income questions.answer
        questions.ask questions.index questions.manage questions.report questions_regie.index
        questions_regie.review updates.ask_thank updates.create updates.edit updates.index
        updates.stop_news
    """,
    "coordination": """
        event_log.index jobs_desk.index jobs_desk.job rule_settings.edit rule_settings.index
        work_desk.order
    """,
    "counter": "counter.index counter.letter objections.sent objections_regie.index objections_regie.show",
    "desk": "conversation.show deciding.decided deciding.preview desk.index desk.show",
    "everything": """
        agenda.index agenda.show app.offline cashbook.accounts cashbook.flow cashbook.index
        cashbook.of_initiative districts.index districts.show following.ask following.ask_link
        following.asked following.confirm following.manage following.preview following.stop
        initiatives.index initiatives.show lost_letters.form news.index news.show objections.form
        pages.home pages.nearby reports.index reports_years.show site_texts.show vouchers.choose
        vouchers.landing accounts.sign_in
    """,
    "figures": "reports.show reports_desk.closing reports_desk.of_round",
    "finance": "statements.show",
    "giving": "donations.receipt",
    "letters": """
        help_points.edit help_points.index letter_texts.ask_approve letter_texts.edit letter_texts.index
        letter_texts.show letters_desk.ask_hand_over letters_desk.index
    """,
    "lost_and_kept": """
        kept_vouchers.choose kept_vouchers.index lost_letters.sent post_desk.ask_print post_desk.index
        post_desk.scan_form
    """,
    "paper": "boxes.index boxes.show paper.index paper_regie.index paper_regie.show",
    "paying": "payments.ask",
    "payout": "payouts.ask payouts.show",
    "rounds": """
        pages.coordination rounds_desk.ask_budget rounds_desk.ask_close rounds_desk.ask_release
        rounds_desk.index rounds_desk.new rounds_desk.show
    """,
    "rulebook": """
        rulebook.edit_advice rulebook.edit_question rulebook.index rulebook.new_advice
        rulebook.new_question rulebook.preview
    """,
    "second_factor": "second_factor.ask second_factor.set_up staff.absence staff.edit staff.index staff.new",
    "signing_in": """
        accounts.address accounts.data accounts.devices accounts.enter_code accounts.has_left
        accounts.home accounts.leave accounts.link accounts.welcome
    """,
    "submitting": """
        invitations.show submitting.new submitting.overview submitting.show_preview submitting.show_step
    """,
    "texts": "site_texts_desk.edit site_texts_desk.history site_texts_desk.index site_texts_desk.version",
}
# What axe need not look at, and why.
NO_LOOK = {
    "a piece of a page": "counter.choice map.popup pages.nearby_cards work_desk.part",
    "sends one on": "oidc.back oidc.start profiles.own",
    "a mail, in the demo alone": "mail.show",
    "says only that the server lives": "pages.healthz pages.readyz",
    "a picture": """
        accountability.receipt accountability_regie.receipt illustrations.show media.picture sharing.picture sharing.qr
    """,
    "paper": "boxes.label districts.poster flyers.flyer flyers.poster letter_texts.preview",
    "a file": """
        accounts.download agenda.calendar agenda.item_calendar api.initiatives api.rounds api_description app.manifest
        app.style app.worker books.csv books.xlsx cashbook.file_of_initiative cashbook.index_file demo.bank_statement
        letters_desk.manifest machines.robots machines.security_txt machines.sitemap machines.sitemap_file map.points
        map.shapes news.feed pages.standing reports.figures_file reports_desk.closing_file reports_years.figures_file
        static
    """,
}

arranged = permissions.arranged


def _entries(app: Flask) -> dict[str, list[tuple[str, Entry]]]:
    """Of every route that one can open: who may, and with which object."""
    found: dict[str, list[tuple[str, Entry]]] = {}
    for endpoint, entry in pages():
        if "GET" in routes(app)[endpoint]:
            first = [who for who in (INITIATOR, RESIDENT, OWN, COORDINATOR) if who in entry.may]
            found.setdefault(endpoint, []).append(((first or sorted(entry.may))[0], entry))
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and not rule.arguments and rule.endpoint not in found:
            access = access_of(app, rule.endpoint) or ""
            who = {"public": ANONYMOUS, "resident": INITIATOR}.get(access) or STAFF[access.split(":")[1].split(",")[0]]
            found[rule.endpoint] = [(who, Entry(may=frozenset({who})))]
    return found


def _address(town: Town, endpoint: str, ways: list[tuple[str, Entry]]) -> tuple[str, str]:
    """Who gets a page of this route, and where it is; nobody where it is no page."""
    for who, entry in ways:
        path = town.path(endpoint, **filled(entry.args, town.ids))
        answer = town.send(who, "GET", path)
        if answer.status_code == 200 and is_html(answer):
            return who, path
    return "", ""


@dataclass(eq=False)
class Window:
    """A browser that gets everything from the town itself, as one of its people."""

    town: Town
    visitor: Visitor
    who: str = ANONYMOUS

    def answer(self, route: Route) -> None:
        """What the town gives to this person."""
        asked = urlsplit(route.request.url)
        if asked.path.startswith("/media/"):  # pictures are rows in this town, no files
            route.fulfill(content_type="image/svg+xml", body=PICTURE)
            return
        with self.town.send(self.who, "GET", f"{asked.path}?{asked.query}") as given:
            route.fulfill(status=given.status_code, headers=dict(given.headers), body=given.data)

    def looks_at(self, who: str, path: str) -> None:
        """Whether this page is in order for this person."""
        self.who = who
        self.visitor.problems.clear()
        self.visitor.goto(path)
        self.visitor.looks_right(colours_once=True)


@pytest.fixture
def window(arranged: Town, browsers: Browsers) -> Iterator[Window]:
    """A phone that turns into a desktop."""
    width, height = PHONE
    context = browsers.one(keeps_pages=False).new_context(
        viewport={"width": width, "height": height}, has_touch=True, is_mobile=True, reduced_motion="reduce"
    )
    window = Window(arranged, Visitor(context, URL, "", [], has_touch=True))
    context.route("**/*", window.answer)
    yield window
    context.close()


def test_every_page_that_no_journey_looks_at_is_for_everyone(arranged: Town, window: Window) -> None:
    routes_here = {rule.endpoint for rule in arranged.app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    elsewhere = set(" ".join(JOURNEYS.values()).split())
    not_a_page = set(" ".join(NO_LOOK.values()).split())
    entries = _entries(arranged.app)
    wrong, looked = [], set()
    for endpoint in sorted(routes_here & set(entries) - elsewhere - set(NO_LOOK["a piece of a page"].split())):
        who, path = _address(arranged, endpoint, entries[endpoint])
        if path:
            looked.add(endpoint)
            try:
                window.looks_at(who, path)
            except AssertionError as found:
                wrong.append(f"{endpoint} as {who}: {found}")

    assert not wrong, "\n\n".join(wrong)
    assert routes_here - looked - elsewhere - not_a_page == set(), "no test looks at these"
    assert not_a_page | elsewhere <= routes_here - looked, "these are gone, or pages after all"
