# SPDX-License-Identifier: EUPL-1.2
"""The public list and the page of each initiative, whatever stands in the address or in its texts."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from abs_platform.donations.service import GiftDetails
from abs_platform.initiatives import service
from abs_platform.initiatives.models import Initiative, Organiser
from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.users import Role
from tests.factories import TEST_ACTOR, Factory
from tests.page import Browser, Page

PRIVATE = (State.DRAFT, State.SUBMITTED, State.CHANGES_REQUESTED, State.REJECTED)
PUBLIC = tuple(state for state in State if state not in PRIVATE)
ATTACK = """"><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}'--"""


def path_of(initiative: Initiative, slug: str = "bomen-op-het-plein") -> str:
    return f"/initiatieven/{initiative.id}-{slug}"


def shown(page: Page) -> list[str]:
    """The titles of the cards on a page."""
    return [link.to_text().strip() for link in page.all(".abs-card__link")]


@pytest.mark.parametrize("state", PUBLIC)
def test_the_page_of_a_public_initiative_tells_how_it_stands(
    factory: Factory, browser_client: Browser, state: State
) -> None:
    initiative = factory.initiative(state, target_cents=5_000, title="Bomen op het plein")

    page = browser_client.get(path_of(initiative))

    assert page.one("h1").to_text() == "Bomen op het plein"
    assert "€ 50" in page.text.replace("\u00a0", " ")
    assert "Anna, Bram, Cem" in page.text
    collects = state == State.PUBLISHED
    assert len(page.all('form[action="/voucher"]')) == collects
    assert bool(page.all(".utrecht-alert")) == (not collects)
    if collects:
        assert page.field("initiative_id") == str(initiative.id)


@pytest.mark.parametrize("state", PRIVATE)
def test_what_is_not_published_cannot_be_found(factory: Factory, browser_client: Browser, state: State) -> None:
    initiative = factory.initiative(state, title="Bomen op het plein")

    page = browser_client.get(path_of(initiative), status=404)
    listed = browser_client.get("/initiatieven")

    assert "Bomen op het plein" not in page.html
    assert shown(listed) == []


def test_a_draft_that_was_withdrawn_stays_private(factory: Factory, browser_client: Browser) -> None:
    initiative = factory.initiative(State.DRAFT, title="Bomen op het plein")
    service.withdraw(factory.session, initiative.id, reason="Geen tijd.", actor=TEST_ACTOR, now=factory.now)
    factory.session.commit()

    browser_client.get(path_of(initiative), status=404)

    assert shown(browser_client.get("/initiatieven?status=withdrawn")) == []


@pytest.mark.parametrize("slug", ["-verkeerd", "-", "", "-Bomen-Op-Het-Plein", "-bomen-op-het-plein-2"])
def test_another_slug_leads_to_the_address_that_counts(factory: Factory, browser_client: Browser, slug: str) -> None:
    initiative = factory.initiative(title="Bomen op het plein")

    response = browser_client.client.get(f"/initiatieven/{initiative.id}{slug}")

    if slug == "-":
        assert response.status_code == 404
    else:
        assert response.status_code == 301
        assert response.location == path_of(initiative)


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize(
    "path",
    ["0-x", "1-x", "-1-x", "9223372036854775807-x", "9223372036854775808-x", f"{'9' * 400}-x", "x-1", "1.5-x", "1/x"],
)
def test_an_initiative_that_is_not_there_is_not_found(browser_client: Browser, path: str) -> None:
    browser_client.get(f"/initiatieven/{path}", status=404)


@pytest.mark.parametrize(
    "title", ["Café & bistro", "!!!", "日本", "x" * 120, "É" * 120, "a/b?c#d", "Ünïcödé 🌳", "-- -- --", "%2e%2e"]
)
def test_any_title_has_an_address(factory: Factory, browser_client: Browser, title: str) -> None:
    factory.initiative(title=title)

    link = browser_client.get("/initiatieven").all(".abs-card__link")[0].attrs["href"]

    assert browser_client.get(link).one("h1").to_text() == title
    assert len(link) < 100


def test_texts_of_strangers_are_shown_as_they_are_and_never_run(factory: Factory, browser_client: Browser) -> None:
    initiative = factory.initiative(title=ATTACK)
    initiative.summary = initiative.story = initiative.place_description = ATTACK
    factory.session.query(Organiser).update({"name": ATTACK})
    (code,) = factory.codes()
    factory.give(code, initiative, GiftDetails(giver_name=ATTACK, message=ATTACK))
    factory.session.commit()
    link = browser_client.get("/initiatieven").all(".abs-card__link")[0].attrs["href"]

    pages = [browser_client.get(path) for path in (link, "/", "/initiatieven", "/voucher")]

    for page in pages:
        assert not page.all("img[onerror]")
        assert all(script.attrs["src"].startswith("/static/") for script in page.all("script[src]"))
        assert "<script>alert" not in page.html
        assert "{{7*7}}" in page.html
    assert pages[0].html.count("&lt;script&gt;alert(1)") >= 6


def test_a_story_keeps_its_paragraphs(factory: Factory, browser_client: Browser) -> None:
    initiative = factory.initiative(title="Bomen op het plein")
    initiative.story = "Eerste regel\nloopt door.\r\n\r\nTweede <b>alinea</b>.\n\n\n\n"
    factory.session.commit()

    page = browser_client.get(path_of(initiative))

    paragraphs = [" ".join(p.to_text().split()) for p in page.all(".abs-story p")]
    assert paragraphs == ["Eerste regel loopt door.", "Tweede <b>alinea</b>."]


@pytest.mark.parametrize(
    "number", ["0", "-1", "1.5", "x", "", "99999999999999999999", "²", "\u0661", "1;2", "%00", "+1", "1e3"]
)
def test_a_page_number_that_is_none_shows_the_first_page(
    factory: Factory, browser_client: Browser, number: str
) -> None:
    factory.initiative(title="Bomen op het plein")

    assert shown(browser_client.get(f"/initiatieven?pagina={number}")) == ["Bomen op het plein"]


def test_a_page_number_beyond_the_end_shows_the_last_page(factory: Factory, browser_client: Browser) -> None:
    for _ in range(13):
        factory.initiative()

    first, last = browser_client.get("/initiatieven"), browser_client.get("/initiatieven?pagina=999999")

    assert (len(shown(first)), len(shown(last))) == (12, 1)
    assert last.one('[aria-current="page"].utrecht-pagination__page-link').to_text() == "2"
    assert not set(shown(first)) & set(shown(last))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"Bomen", "Glijbaan", "Overal"}),
        ("status=funded", {"Glijbaan"}),
        ("status=published", {"Bomen", "Overal"}),
        ("status=draft", {"Bomen", "Glijbaan", "Overal"}),
        ("status=onzin", {"Bomen", "Glijbaan", "Overal"}),
        ("wijk=windmolenbroek", {"Bomen", "Overal"}),
        ("wijk=nergens", {"Bomen", "Glijbaan", "Overal"}),
        ("wijk=aadorp&status=funded", {"Glijbaan"}),
        ("zoek=glijbanen", {"Glijbaan"}),
        ("zoek=%00%01glijbaan%1b", {"Glijbaan"}),
        ("zoek=glijbaan&wijk=windmolenbroek", set()),
        ("zoek=" + "a" * 5_000, set()),
        ("zoek=%F0%9F%8C%B3", set()),
        ("zoek=%ff%fe", set()),
        ("zoek=%22", set()),
    ],
)
def test_the_address_of_the_list_holds_its_filter(
    factory: Factory, browser_client: Browser, query: str, found: set[str]
) -> None:
    factory.initiative(title="Bomen", area="BU01411900")
    factory.initiative(State.FUNDED, title="Glijbaan", area="BU01412000", target_cents=5_000)
    factory.initiative(title="Overal", area="GM0141")

    assert set(shown(browser_client.get(f"/initiatieven?{query}"))) == found


def test_the_pages_of_a_filtered_list_keep_the_filter(factory: Factory, browser_client: Browser) -> None:
    for number in range(13):
        factory.initiative(title=f"Muziek {number}")

    page = browser_client.get("/initiatieven?zoek=muziek&wijk=windmolenbroek&status=published")
    following = page.one('[rel="next"]').attrs["href"]

    assert len(shown(browser_client.get(following))) == 1
    assert page.field("zoek") == "muziek"
    assert [option.attrs["value"] for option in page.all("option[selected]")] == [
        "windmolenbroek",
        "published",
        "treffer",
    ]


@pytest.mark.usefixtures("session")
def test_a_search_that_finds_nothing_says_so_and_shows_the_words_safely(browser_client: Browser) -> None:
    page = browser_client.get('/initiatieven?zoek="><script>alert(1)</script>')

    assert "Geen initiatieven gevonden" in page.text
    assert "<script>alert" not in page.html


def test_organisers_and_the_desk_find_their_own_page_from_the_public_one(
    factory: Factory, browser_client: Browser
) -> None:
    initiative = factory.initiative()
    email = factory.session.scalars(
        select(Organiser.email).where(Organiser.initiative_id == initiative.id, Organiser.role == "initiator")
    ).one()
    people = {
        "organiser": factory.account(email),
        "desk": factory.account(roles=(Role.DISTRICT_MANAGER,), desks=("WK014119",)),
        "neighbour": factory.account(),
    }
    tokens = {name: factory.session_of(account) for name, account in people.items()}
    factory.session.commit()
    ways = {
        "organiser": f"/account/initiatieven/{initiative.id}",
        "desk": f"/regie/initiatieven/{initiative.id}",
        "neighbour": None,
    }

    for name, token in tokens.items():
        page = browser_client.sign_in(token).get(f"/initiatieven/{initiative.id}")
        found = {link.attrs["href"] for link in page.all("main a")} & {way for way in ways.values() if way}
        assert found == ({ways[name]} if ways[name] else set()), name
