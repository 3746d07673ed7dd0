# SPDX-License-Identifier: EUPL-1.2
"""Every public page in every state, for everyone: phone and desktop, light and dark, each language, mirrored.

Axe is asked in full in Dutch, in English and mirrored, at both widths. Of the dark it is asked about colours, at both
widths, in Dutch alone: the dark differs in nothing else, and no style sheet knows a language. For the same reason the
colours of English and of the mirrored page are asked on the phone alone, where most lies on top of each other.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from sqlalchemy import delete, select

from abs_platform.agenda.models import AgendaItem
from abs_platform.agenda.service import cancel
from abs_platform.following.links import confirm_token, manage_token, stop_token
from abs_platform.following.models import Follow, Follower
from abs_platform.initiatives.states import PUBLIC_STATES
from abs_platform.news.models import NewsPost
from abs_platform.pages import routes as pages
from abs_platform.reports.service import keep_area_figures
from abs_platform.rounds.queries import open_round
from abs_platform.site_texts.states import SitePage
from tests.agenda.test_agenda import planned
from tests.browser.conftest import PHONE, Browsers, Town, newcomer
from tests.browser.visitor import Visitor
from tests.factories import SECRET_KEY, TEST_ACTOR
from tests.following.readers import follows
from tests.news.test_news import made
from tests.people import OWN_DESK

pytestmark = pytest.mark.browser

YEAR = dt.datetime.now(dt.UTC).year
FOLLOWER = "volger@voorbeeld.example"
PAGES: dict[str, int] = {
    "/": 200,
    "/dichtbij": 200,
    "/dichtbij?buurt=groeneveld": 200,
    "/dichtbij?postcode=0000": 200,
    "/initiatieven": 200,
    "/initiatieven?pagina=2": 200,
    "/initiatieven?status=published&wijk=schelfhorst&zoek=eten": 200,
    "/initiatieven?zoek=een-woord-dat-nergens-staat": 200,
    "/wijken": 200,
    "/wijken/windmolenbroek": 200,
    "/wijken/bornerbroek": 200,
    "/nieuws": 200,
    "/nieuws?wijk=aadorp": 200,
    "/nieuws/{post}": 200,
    "/agenda": 200,
    "/agenda?wijk=aadorp": 200,
    "/agenda/{item}": 200,
    "/agenda/{cancelled}": 200,
    "/volgen": 200,
    "/volgen?wat=gebied:windmolenbroek&wat=thema:green": 200,
    "/volgen/gevraagd": 200,
    "/volgen/link": 200,
    "/volgen/bevestigen/{confirm}": 200,
    "/volgen/beheer/{manage}": 200,
    "/volgen/beheer/{manage}/mail": 200,
    "/volgen/stoppen/{stop}": 200,
    "/cijfers": 200,
    f"/cijfers/jaar/{YEAR}": 200,
    "/kasboek": 200,
    "/kasboek/waar-bleef-het-geld": 200,
    "/kasboek/rekeningen": 200,
    "/initiatieven/{published}-x/kasboek": 200,
    "/voucher": 200,
    "/v": 200,
    "/voucher/nieuwe-brief": 200,
    "/voucher/waar": 200,
    "/inloggen": 200,
    "/offline": 200,
    "/bestaat-niet": 404,
    "/initiatieven/999999": 404,
    "/giften/BESTAATNIET": 404,
    "/voucher/geven": 405,
    "/kapot": 500,
}
PAGES |= {f"/initiatieven/{{{state.value}}}": 200 for state in PUBLIC_STATES}
PAGES |= {f"/{page.value}": 200 for page in SitePage}
# The last stands alone, in Dutch: when all else is broken it must still be there. The others are pages above once more.
ONE_LANGUAGE = {
    *("/initiatieven?pagina=2", "/initiatieven?status=published&wijk=schelfhorst&zoek=eten", "/nieuws?wijk=aadorp"),
    *("/agenda?wijk=aadorp", "/initiatieven/999999", "/giften/BESTAATNIET", "/voucher/geven", "/kapot"),
}


@pytest.fixture(scope="module")
def eyes(town: Town, browsers: Browsers) -> Iterator[Visitor]:
    """One visitor for all pages: they keep nothing of a visit, and a browser reads axe much faster the second time."""
    visitor = newcomer(town, browsers.one(keeps_pages=False), PHONE)
    yield visitor
    visitor.leave()


@pytest.fixture
def visitor(eyes: Visitor) -> Iterator[Visitor]:
    """The eyes, whatever they saw before: public pages may be kept for some seconds, by a browser too."""
    eyes.problems.clear()
    eyes.context.new_cdp_session(eyes.page).send("Network.clearBrowserCache")
    eyes.page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    eyes.page.emulate_media(color_scheme="light")
    yield eyes
    assert eyes.problems == []


@pytest.fixture(scope="module")
def addresses(town: Town) -> Iterator[dict[str, str]]:
    """What the addresses above speak of. It is gone afterwards: other tests count what there is."""
    with town.app.app_context():
        factory = town.factory
        follower = follows(factory, "thema:green", f"gebied:{factory.area_id(OWN_DESK)}", email=FOLLOWER)
        number = follower.id
        post = made(factory, "De brug is open", area=OWN_DESK)
        item, cancelled = planned(factory), planned(factory, "Een wandeling")
        cancel(factory.session, cancelled, reason="Het regent.", actor=TEST_ACTOR, now=factory.now)
        keep_area_figures(town.session, now=factory.now)
        ids = list(town.session.scalars(select(Follow.id).where(Follow.follower_id == number)))
        town.session.commit()
    yield {state.value: str(number) for state, number in town.in_state.items()} | {
        "post": str(post),
        "item": str(item),
        "cancelled": str(cancelled),
        "confirm": confirm_token(SECRET_KEY, number, ids),
        "manage": manage_token(SECRET_KEY, number),
        "stop": stop_token(SECRET_KEY, number),
    }
    town.session.rollback()
    town.session.execute(delete(Follower).where(Follower.email == FOLLOWER))
    town.session.execute(delete(NewsPost).where(NewsPost.id == post))
    town.session.execute(delete(AgendaItem).where(AgendaItem.id.in_([item, cancelled])))
    town.session.commit()


@pytest.mark.parametrize(("path", "status"), PAGES.items(), ids=PAGES)
def test_a_page_is_for_everyone(visitor: Visitor, addresses: dict[str, str], path: str, status: int) -> None:
    path = path.format(**addresses)
    visitor.goto(path, status=status)
    visitor.looks_right()

    if path not in ONE_LANGUAGE:
        visitor.goto(f"/en{path}", status=status)
        visitor.speaks()
        visitor.goto(f"/ar{path}", status=status)
        visitor.holds_mirrored()


@pytest.mark.parametrize("coming", [False, True], ids=["no-round", "a-round-to-come"])
def test_home_is_for_everyone_between_the_rounds(
    town: Town, visitor: Visitor, monkeypatch: pytest.MonkeyPatch, coming: bool
) -> None:
    with town.app.app_context():
        round_ = open_round(town.session, town.factory.now)
    assert round_ is not None
    town.session.rollback()
    monkeypatch.setattr(pages, "open_round", lambda *_: None)
    monkeypatch.setattr(pages, "coming_round", lambda *_: round_ if coming else None)

    visitor.goto("/")
    assert (round_.name in visitor.text) == coming
    visitor.looks_right()
    visitor.goto("/ar/")
    visitor.holds_mirrored()
