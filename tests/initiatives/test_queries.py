# SPDX-License-Identifier: EUPL-1.2
"""What pages and the API read of initiatives: lists, filters, search, pages, and the figures of a card."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.areas.queries import AreaRow, list_districts
from abs_platform.areas.states import AreaLevel
from abs_platform.donations.service import GiftDetails, return_vouchers
from abs_platform.initiatives import listing, queries, service, showing, submitting
from abs_platform.initiatives.counting import count_progress
from abs_platform.initiatives.queries import InitiativeCard
from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.initiatives.states import Theme
from abs_platform.paging import Page, page_of
from tests.factories import TEST_ACTOR, Factory

PRIVATE = (State.DRAFT, State.SUBMITTED, State.CHANGES_REQUESTED, State.REJECTED)
PUBLIC = tuple(state for state in State if state not in PRIVATE)
WINDMOLENBROEK, WINDMOLENBROEK_BUURT = "WK014119", "BU01411900"
AADORP_BUURT = "BU01412000"


def district(session: Session, code: str) -> AreaRow:
    return next(row for row in list_districts(session) if row.code == code)


def titles(page: Page[InitiativeCard]) -> list[str]:
    return [card.title for card in page.items]


def today(factory: Factory) -> dt.date:
    return clock.local_date(factory.now)


def a_card(*, target: int = 10_000, raised: int = 0, days_left: int | None = 3) -> InitiativeCard:
    return InitiativeCard(
        id=1,
        slug="a",
        title="A",
        summary="A.",
        theme=Theme.GREEN,
        state=State.PUBLISHED,
        area_name="Plein",
        district_name="Zuid",
        scope=AreaLevel.NEIGHBOURHOOD,
        target_cents=target,
        raised_cents=raised,
        givers=0,
        deadline_on=dt.date(2026, 11, 22),
        days_left=days_left,
    )


@pytest.mark.parametrize(
    ("target", "raised", "percent", "missing"),
    [
        (10_000, 0, 0, 10_000),
        (10_000, 99, 0, 9_901),
        (10_000, 100, 1, 9_900),
        (10_000, 9_999, 99, 1),
        (500_000, 499_999, 99, 1),
        (10_000, 10_000, 100, 0),
        (10_000, 10_650, 100, 0),
        (5_000, 50_000, 100, 0),
        (1, 0, 0, 1),
    ],
)
def test_the_percentage_is_whole_and_is_a_hundred_only_when_the_target_is_reached(
    target: int, raised: int, percent: int, missing: int
) -> None:
    card = a_card(target=target, raised=raised)

    assert (card.percent, card.missing_cents) == (percent, missing)


@pytest.mark.parametrize(("days", "days_left"), [(0, 30), (29, 1), (30, 0), (31, None)])
def test_the_days_left_count_down_to_the_last_day_and_then_it_collects_no_more(
    factory: Factory, days: int, days_left: int | None
) -> None:
    initiative = factory.initiative(days_left=30)

    card = queries.card(factory.session, initiative.id, today=today(factory) + dt.timedelta(days=days))

    assert card is not None
    assert card.days_left == days_left
    assert card.is_collecting == (days_left is not None)


@pytest.mark.parametrize("state", PUBLIC)
def test_a_card_shows_days_left_only_while_it_collects(factory: Factory, state: State) -> None:
    initiative = factory.initiative(state, target_cents=5_000)

    card = queries.card(factory.session, initiative.id, today=today(factory))

    assert card is not None
    assert card.state == state
    assert card.is_collecting == (state == State.PUBLISHED)


@pytest.mark.parametrize(
    ("area", "area_name", "district_name", "scope"),
    [
        (WINDMOLENBROEK_BUURT, None, "Windmolenbroek", AreaLevel.NEIGHBOURHOOD),
        (WINDMOLENBROEK, "Windmolenbroek", "Windmolenbroek", AreaLevel.DISTRICT),
        ("GM0141", "Almelo", None, AreaLevel.MUNICIPALITY),
    ],
)
def test_a_card_tells_where_an_initiative_belongs(
    factory: Factory, area: str, area_name: str | None, district_name: str | None, scope: AreaLevel
) -> None:
    initiative = factory.initiative(area=area)

    card = queries.card(factory.session, initiative.id, today=today(factory))

    assert card is not None
    assert (card.district_name, card.scope) == (district_name, scope)
    assert card.area_name == area_name or area_name is None


def test_a_card_counts_confirmed_gifts_only(factory: Factory) -> None:
    initiative = factory.initiative()
    for code in factory.codes(3):
        factory.give(code, initiative)
    before = queries.card(factory.session, initiative.id, today=today(factory))
    service.stop(factory.session, initiative.id, reason="Gevaarlijk.", actor=TEST_ACTOR, now=factory.now)
    return_vouchers(factory.session, initiative.id, actor=TEST_ACTOR, now=factory.now, reason="stopped", batch=2)

    after = queries.card(factory.session, initiative.id, today=today(factory))

    assert before is not None
    assert after is not None
    assert (before.raised_cents, before.givers) == (2_250, 3)
    assert (after.raised_cents, after.givers) == (750, 1)


def test_the_list_holds_what_was_published_and_nothing_else(factory: Factory) -> None:
    made = {state: factory.initiative(state, target_cents=5_000) for state in State}
    withdrawn_draft = factory.initiative(State.DRAFT)
    service.withdraw(factory.session, withdrawn_draft.id, reason="Geen tijd.", actor=TEST_ACTOR, now=factory.now)

    page = listing.list_initiatives(factory.session, today=today(factory))
    asked_for = listing.list_initiatives(factory.session, today=today(factory), states=list(State))

    assert {card.id for card in page.items} == {made[state].id for state in PUBLIC}
    assert {card.id for card in asked_for.items} == {made[state].id for state in PUBLIC}
    for initiative in [*(made[state] for state in PRIVATE), withdrawn_draft]:
        assert queries.card(factory.session, initiative.id, today=today(factory)) is None
        assert showing.detail(factory.session, initiative.id, pictures=[], today=today(factory)) is None


@pytest.mark.parametrize("state", PUBLIC)
def test_the_list_is_filtered_by_state(factory: Factory, state: State) -> None:
    wanted = factory.initiative(state, target_cents=5_000)
    factory.initiative(State.PUBLISHED if state != State.PUBLISHED else State.STOPPED)

    page = listing.list_initiatives(factory.session, today=today(factory), states=[state])

    assert [card.id for card in page.items] == [wanted.id]
    assert page.total == 1


def test_city_wide_initiatives_pass_every_district_filter(factory: Factory) -> None:
    factory.initiative(area=WINDMOLENBROEK_BUURT, title="In de buurt")
    factory.initiative(area=WINDMOLENBROEK, title="In de wijk")
    factory.initiative(area=AADORP_BUURT, title="In het dorp")
    factory.initiative(area="GM0141", title="Overal")

    found = {
        row.name: set(titles(listing.list_initiatives(factory.session, today=today(factory), district=row)))
        for row in list_districts(factory.session)
    }

    assert len(found) == 12
    assert found.pop("Windmolenbroek") == {"In de buurt", "In de wijk", "Overal"}
    assert found.pop("Aadorp") == {"In het dorp", "Overal"}
    assert list(found.values()) == [{"Overal"}] * 10


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("boom", ["Bomen planten"]),
        ("BOMEN", ["Bomen planten"]),
        ("planten", ["Bomen planten"]),
        ("speeltuin", ["Een nieuwe glijbaan"]),
        ("speeltuinen", ["Een nieuwe glijbaan"]),
        ("kinderen glijbaan", ["Een nieuwe glijbaan"]),
        ('"nieuwe glijbaan"', ["Een nieuwe glijbaan"]),
        ('"glijbaan nieuwe"', []),
        ("boom or glijbaan", ["Bomen planten", "Een nieuwe glijbaan"]),
        ("nieuwe -glijbaan", []),
        ("hertenkamp", ["Bomen planten"]),
        ("zwembad", []),
        ("de", []),
        ("!!! & | ( :*", []),
        ("'; DROP TABLE initiatives; --", []),
        ("   ", ["Bomen planten", "Een nieuwe glijbaan"]),
    ],
)
def test_the_search_reads_dutch_over_title_summary_story_and_place(
    factory: Factory, search: str, found: list[str]
) -> None:
    trees, slide = factory.initiative(title="Bomen planten"), factory.initiative(title="Een nieuwe glijbaan")
    trees.place_description = "Naast het hertenkamp"
    trees.summary, trees.story = "Tien eiken.", "Wij houden van groen."
    slide.summary, slide.story = "Voor de speeltuin.", "Waar kinderen spelen."
    factory.session.flush()

    page = listing.list_initiatives(factory.session, today=today(factory), search=search)

    assert sorted(titles(page)) == found
    assert page.total == len(found)


def test_a_word_in_the_title_counts_for_more_than_one_in_the_story(factory: Factory) -> None:
    in_title = factory.initiative(title="Muziek op het plein")
    in_story = factory.initiative(title="Een feest")
    in_story.story = "Met muziek."
    in_title.story = "Gezellig."
    factory.session.flush()

    page = listing.list_initiatives(factory.session, today=today(factory), search="muziek")

    assert titles(page) == ["Muziek op het plein", "Een feest"]


def test_what_collects_comes_first_in_the_list(factory: Factory) -> None:
    factory.initiative(title="Haalt op")
    factory.initiative(State.STOPPED, title="Gestopt")
    factory.initiative(days_left=2, title="Haalt ook op")

    page = listing.list_initiatives(factory.session, today=today(factory))

    assert titles(page)[-1] == "Gestopt"


@pytest.mark.parametrize(
    ("total", "number", "size", "expected"),
    [
        (0, 1, 12, (1, 1, 0)),
        (0, 99, 12, (1, 1, 0)),
        (12, 1, 12, (1, 1, 0)),
        (13, 2, 12, (2, 2, 12)),
        (13, 3, 12, (2, 2, 12)),
        (25, 2, 12, (2, 3, 12)),
        (25, 0, 12, (1, 3, 0)),
        (25, -4, 12, (1, 3, 0)),
        (25, 10**18, 12, (3, 3, 24)),
    ],
)
def test_a_page_number_beyond_the_ends_becomes_the_nearest_page(
    total: int, number: int, size: int, expected: tuple[int, int, int]
) -> None:
    assert page_of(total, number, size) == expected


def test_the_pages_of_the_list_hold_every_initiative_once(factory: Factory) -> None:
    made = {factory.initiative().id for _ in range(7)}

    pages = [
        listing.list_initiatives(factory.session, today=today(factory), page=number, page_size=3)
        for number in (1, 2, 3)
    ]

    assert [len(page.items) for page in pages] == [3, 3, 1]
    assert [(page.has_prev, page.has_next) for page in pages] == [(False, True), (True, True), (True, False)]
    assert {card.id for page in pages for card in page.items} == made


def test_almost_there_is_the_largest_share_and_the_choice_begins_with_what_ends_first(factory: Factory) -> None:
    small = factory.initiative(target_cents=5_000, days_left=20, title="Klein")
    large = factory.initiative(target_cents=100_000, days_left=10, title="Groot")
    factory.initiative(days_left=5, title="Zonder gift")
    factory.initiative(State.STOPPED, title="Gestopt")
    codes = factory.codes(4)
    factory.give(codes[0], small)
    for code in codes[1:]:
        factory.give(code, large)

    count_progress(factory.session, now=factory.now)

    almost = queries.almost_there(factory.session, today=today(factory), limit=2)
    choice = queries.collecting(factory.session, today=today(factory), limit=10)

    assert [card.title for card in almost] == ["Klein", "Groot"]
    assert [card.title for card in choice] == ["Zonder gift", "Groot", "Klein"]


def test_newest_is_in_the_order_of_publication_or_of_its_end(factory: Factory) -> None:
    first, second = factory.initiative(title="Eerst"), factory.initiative(title="Later")
    first.published_at = factory.now - dt.timedelta(days=9)
    second.published_at = factory.now - dt.timedelta(days=2)
    stopped = [factory.initiative(State.STOPPED, title=title) for title in ("Gestopt", "Pas gestopt")]
    stopped[0].ended_at = factory.now - dt.timedelta(days=5)
    factory.session.flush()

    def newest(state: State) -> list[str]:
        return [card.title for card in queries.newest(factory.session, state, today=today(factory), limit=5)]

    assert newest(State.PUBLISHED) == ["Later", "Eerst"]
    assert newest(State.STOPPED) == ["Pas gestopt", "Gestopt"]
    assert newest(State.DRAFT) == []


def test_the_detail_names_who_confirmed_and_shows_the_newest_gifts(factory: Factory) -> None:
    initiative = factory.initiative(State.DRAFT)
    invited = submitting.Person(name="Dirk", email="dirk@voorbeeld.example", postcode="7609 AB", house_number="9")
    submitting.add_co_organiser(factory.session, initiative.id, invited, actor=TEST_ACTOR, now=factory.now)
    submitting.submit(factory.session, initiative.id, rules=factory.rules, actor=TEST_ACTOR, now=factory.now)
    service.publish(factory.session, initiative.id, actor=TEST_ACTOR, now=factory.now)
    for number, code in enumerate(factory.codes(22)):
        factory.give(code, initiative, GiftDetails(giver_name=f"Gever {number}" if number % 2 else None))

    detail = showing.detail(factory.session, initiative.id, pictures=[], today=today(factory))

    assert detail is not None
    assert detail.organisers == ["Anna", "Bram", "Cem"]
    assert [line.description for line in detail.budget_lines] == ["Bomen", "Koffie"]
    assert [gift.giver_name for gift in detail.gifts[:2]] == ["Gever 21", None]
    assert len(detail.gifts) == 10
    assert detail.givers == 22


@pytest.mark.parametrize(
    ("days", "raised", "is_due"), [(0, 0, False), (1, 0, True), (0, 7, True), (1, 7, True), (0, 6, False)]
)
def test_due_for_close_is_what_reached_its_target_or_passed_its_deadline(
    factory: Factory, days: int, raised: int, *, is_due: bool
) -> None:
    initiative = factory.initiative(target_cents=5_000)
    for code in factory.codes(raised) if raised else []:
        factory.give(code, initiative)
    day = initiative.deadline_on + dt.timedelta(days=days)

    assert queries.due_for_close(factory.session, day) == ([initiative.id] if is_due else [])
