# SPDX-License-Identifier: EUPL-1.2
"""The list: every filter, order and page; a search that forgives; the fair mix; and what it says when it is empty."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
from sqlalchemy import select, update

from abs_platform import clock
from abs_platform.areas.queries import list_areas
from abs_platform.initiatives import listing, remembering, service
from abs_platform.initiatives.browsing import browse
from abs_platform.initiatives.counting import count_progress, mix
from abs_platform.initiatives.listing import Order, Wanted
from abs_platform.initiatives.mixing import Candidate, fair_mix
from abs_platform.initiatives.models import Initiative, InitiativeNeed, InitiativeProgress
from abs_platform.initiatives.searching import read_word, vocabulary_of
from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.initiatives.states import NeedKind, Theme
from jobs import count_progress as job
from tests.factories import TEST_ACTOR, Factory
from tests.page import Browser, Page

GROENEVELD, KANAALZIJDE, WINDMOLENBROEK, AADORP = "BU01411900", "BU01411901", "WK014119", "BU01412000"
DAY = dt.timedelta(days=1)
TODAY = dt.date(2026, 6, 1)


def shown(page: Page) -> list[str]:
    return [link.to_text().strip() for link in page.all(".abs-card__link")]


def need(factory: Factory, initiative: Initiative, kind: NeedKind) -> None:
    factory.session.add(InitiativeNeed(initiative_id=initiative.id, position=1, kind=kind.value, description="Iets."))
    factory.session.flush()


def found(factory: Factory, **args: str) -> list[str]:
    page = browse(factory.session, args, today=clock.local_date(factory.now), number=1).page
    return [card.title for card in page.items]


@pytest.fixture
def town(factory: Factory) -> Factory:
    """A few of every kind."""
    gate = factory.initiative(title="Poort", area=GROENEVELD, theme=Theme.PLAY, days_left=9)
    factory.initiative(title="Kade", area=KANAALZIJDE, theme=Theme.GREEN, days_left=5)
    factory.initiative(title="Wijkfeest", area=WINDMOLENBROEK, theme=Theme.MEETING, days_left=20)
    everywhere = factory.initiative(title="Overal", area="GM0141", theme=Theme.PLAY, days_left=30)
    factory.initiative(State.REALISED, title="Klaar", area=GROENEVELD, target_cents=5_000)
    factory.initiative(State.STOPPED, title="Gestopt", area=AADORP)
    need(factory, gate, NeedKind.HANDS)
    need(factory, everywhere, NeedKind.MATERIALS)
    return factory


@pytest.mark.parametrize(
    ("args", "titles"),
    [
        ({"thema": "play"}, {"Poort", "Overal"}),
        ({"nodig": "hands"}, {"Poort"}),
        ({"nodig": "knowledge"}, set()),
        ({"status": "ended"}, {"Gestopt"}),
        ({"status": "realised"}, {"Klaar"}),
        ({"status": "stopped"}, {"Gestopt"}),
        ({"wijk": "aadorp"}, {"Gestopt", "Overal"}),
        ({"buurt": "kanaalzijde"}, {"Kade", "Wijkfeest", "Overal"}),
        ({"wijk": "aadorp", "buurt": "kanaalzijde"}, {"Gestopt", "Overal"}),
        ({"wijk": "windmolenbroek", "thema": "play", "nodig": "hands"}, {"Poort"}),
        ({"thema": "x", "nodig": "x", "volgorde": "x", "buurt": "x"}, None),
    ],
)
def test_each_filter_leaves_what_was_asked_for(town: Factory, args: dict[str, str], titles: set[str] | None) -> None:
    every = {"Poort", "Kade", "Wijkfeest", "Overal", "Klaar", "Gestopt"}

    assert set(found(town, **args)) == (every if titles is None else titles)


def test_what_lies_nearest_comes_first_and_the_whole_city_always_shows(town: Factory) -> None:
    assert found(town, buurt="groeneveld") == ["Poort", "Wijkfeest", "Overal", "Klaar"]
    assert found(town, wijk="windmolenbroek") == ["Wijkfeest", "Kade", "Poort", "Overal", "Klaar"]
    for area in list_areas(town.session):
        assert "Overal" in found(town, buurt=area.slug)


@pytest.mark.parametrize(
    ("order", "titles"),
    [
        ("nieuw", ["Overal", "Wijkfeest", "Kade", "Poort", "Gestopt", "Klaar"]),
        ("einde", ["Kade", "Poort", "Wijkfeest", "Overal", "Gestopt", "Klaar"]),
        ("bijna", ["Kade", "Poort", "Overal", "Wijkfeest", "Gestopt", "Klaar"]),
    ],
)
def test_each_order_begins_with_what_collects(town: Factory, order: str, titles: list[str]) -> None:
    by_title = {one.title: one for one in town.session.scalars(select(Initiative))}
    for title, number in (("Kade", 3), ("Poort", 2), ("Overal", 1)):
        for code in town.fresh_codes(number):
            assert town.give(code, by_title[title])
    count_progress(town.session, now=town.now)

    assert found(town, volgorde=order) == titles


def test_beside_every_choice_stands_how_many_it_gives(town: Factory) -> None:
    today = clock.local_date(town.now)
    for base in ({}, {"wijk": "windmolenbroek"}, {"thema": "play"}, {"status": "published"}, {"zoek": "plein"}):
        seen = browse(town.session, base, today=today, number=1)
        choices = {"wijk": seen.districts, "buurt": seen.neighbourhoods, "thema": seen.themes, "status": seen.states}
        for name, options in choices.items():
            for option in options:
                there = browse(town.session, base | {name: option.value}, today=today, number=1).page.total
                assert option.count == there, (base, name, option)


def test_an_order_of_its_own_counts_for_a_search_too(town: Factory) -> None:
    assert browse(town.session, {"zoek": "plein"}, today=TODAY, number=1).order == Order.MATCH
    assert browse(town.session, {"zoek": "plein", "volgorde": "einde"}, today=TODAY, number=1).order == Order.ENDING
    assert browse(town.session, {"volgorde": "treffer"}, today=TODAY, number=1).order == Order.MIX


# The fair mix.


def candidate(number: int, *, cents: int = 0, givers: int = 0, days_ago: int = 10, days_left: int = 30) -> Candidate:
    return Candidate(
        id=number,
        cents=cents,
        givers=givers,
        target_cents=10_000,
        published_at=dt.datetime(2026, 6, 1, tzinfo=dt.UTC) - days_ago * DAY,
        deadline_on=TODAY + days_left * DAY,
    )


def test_the_mix_takes_in_turn_what_is_almost_there_new_little_given_and_ending() -> None:
    almost, almost_too = (candidate(1, cents=9_500, givers=90), candidate(2, cents=9_000, givers=80))
    new, new_too = (candidate(number, cents=100, givers=4, days_ago=number - 3) for number in (3, 4))
    small = candidate(5, givers=0)
    ending, ending_too = (candidate(number, cents=100, givers=5, days_left=number - 6) for number in (6, 7))

    order = fair_mix([ending_too, new_too, almost, ending, small, almost_too, new], TODAY)

    assert order == [1, 3, 5, 6, 2, 4, 7]


def test_the_mix_holds_everything_once_and_is_another_one_tomorrow() -> None:
    alike = [candidate(number) for number in range(1, 41)]

    today, again, tomorrow = (
        fair_mix(list(rows), day) for rows, day in ((alike, TODAY), (reversed(alike), TODAY), (alike, TODAY + DAY))
    )

    assert sorted(today) == sorted(tomorrow) == list(range(1, 41))
    assert today == again
    assert today != tomorrow
    assert fair_mix([], TODAY) == []


def test_the_pages_of_the_mix_repeat_and_skip_nothing_while_gifts_come_in(factory: Factory) -> None:
    made = [factory.initiative(days_left=20 + number) for number in range(30)]
    job.run(factory.now)
    seen = []

    for number, code in enumerate(factory.codes(3), 1):
        page = browse(factory.session, {}, today=clock.local_date(factory.now), number=number).page
        seen += [card.id for card in page.items]
        assert factory.give(code, made[number * 7])
        job.run(factory.now + number * dt.timedelta(minutes=1))

    assert sorted(seen) == sorted(one.id for one in made)


def test_what_begins_today_comes_before_the_mix_of_today(factory: Factory) -> None:
    for _ in range(3):
        factory.initiative()
    job.run(factory.now)
    fresh = factory.initiative(title="Vandaag begonnen")
    fresh.published_at = factory.now
    factory.session.flush()

    assert found(factory)[0] == "Vandaag begonnen"


def test_a_large_list_is_counted_once_in_a_while_and_its_bars_every_time(
    factory: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembering, "FEW", 1)
    monkeypatch.setattr(remembering, "_looks", {})
    made = [factory.initiative(target_cents=7_500) for _ in range(3)]
    today = clock.local_date(factory.now)

    before = browse(factory.session, {}, today=today, number=1).page
    factory.initiative()
    assert factory.give(factory.codes()[0], made[0])
    meanwhile = browse(factory.session, {}, today=today, number=1).page
    monkeypatch.setattr(remembering, "SECONDS_KEPT", 0)
    afterwards = browse(factory.session, {}, today=today, number=1).page

    assert [page.total for page in (before, meanwhile, afterwards)] == [3, 3, 4]
    assert [card.id for card in meanwhile.items] == [card.id for card in before.items]
    assert sorted(card.raised_cents for card in meanwhile.items) == [0, 0, 750]


def test_while_one_visitor_counts_anew_the_others_get_what_was_counted_last(
    factory: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembering, "FEW", 1)
    monkeypatch.setattr(remembering, "_looks", {})
    made = [factory.initiative().id for _ in range(2)]
    session, today, wanted = factory.session, clock.local_date(factory.now), Wanted()
    others: list[object] = []

    def total() -> int:
        return remembering.counts_of(session, wanted, today).total

    def first() -> list[int]:
        return remembering.ids_of(session, wanted, today, offset=0, size=9)

    assert (total(), sorted(first())) == (2, made)
    made.append(factory.initiative().id)
    (look,) = remembering._looks.values()
    look.counted_at = look.ordered_at = -remembering.SECONDS_KEPT
    count, ids = listing.count, listing.ids
    monkeypatch.setattr(listing, "count", lambda *args: others.append(total()) or count(*args))
    monkeypatch.setattr(listing, "ids", lambda *args, **named: others.append(sorted(first())) or ids(*args, **named))

    assert (total(), sorted(first())) == (3, made)
    assert others == [2, made[:2]]


# Counting.


def test_counting_writes_only_what_changed_and_the_mix_is_made_once_a_day(factory: Factory) -> None:
    first, _second = factory.initiative(), factory.initiative()
    factory.initiative(State.FUNDED, target_cents=5_000)
    factory.initiative(State.DRAFT)
    begin = factory.now

    assert job.run(begin).changed == 2 + 2
    assert job.run(begin).changed == 0
    assert factory.give(factory.fresh_codes(1)[0], first)
    assert job.run(begin + dt.timedelta(minutes=1)).changed == 1
    assert job.run(begin + DAY).changed == 2

    row = factory.session.get_one(InitiativeProgress, first.id, populate_existing=True)
    assert (row.cents, row.givers, row.counted_at) == (750, 1, begin + dt.timedelta(minutes=1))
    assert row.share == 15
    assert row.mixed_on == clock.local_date(begin + DAY)
    assert mix(factory.session, now=begin + DAY) == 0


def test_the_share_follows_the_target_and_only_what_collects_has_one(factory: Factory) -> None:
    changed, stopped = factory.initiative(target_cents=7_000), factory.initiative()
    for code, initiative in zip(factory.codes(2), (changed, stopped), strict=True):
        assert factory.give(code, initiative)
    assert count_progress(factory.session, now=factory.now) == 2
    changed.target_cents = 70_000
    service.stop(factory.session, stopped.id, reason="Gevaarlijk.", actor=TEST_ACTOR, now=factory.now)
    factory.session.flush()

    assert count_progress(factory.session, now=factory.now) == 2
    assert count_progress(factory.session, now=factory.now) == 0

    shares = select(InitiativeProgress.initiative_id, InitiativeProgress.share)
    assert {row[0]: row[1] for row in factory.session.execute(shares)} == {changed.id: 10, stopped.id: None}


def test_a_bar_is_right_even_when_the_count_is_old(factory: Factory, browser_client: Browser) -> None:
    initiative = factory.initiative(target_cents=7_500)
    count_progress(factory.session, now=factory.now)
    assert factory.give(factory.codes()[0], initiative)
    factory.session.commit()

    assert "10%" in browser_client.get("/initiatieven").text


def test_what_stops_leaves_the_list_of_what_collects_at_once(factory: Factory) -> None:
    stays, stops = factory.initiative(title="Blijft"), factory.initiative(title="Stopt")
    job.run(factory.now)
    service.stop(factory.session, stops.id, reason="Gevaarlijk.", actor=TEST_ACTOR, now=factory.now)

    assert found(factory, status="published") == [stays.title]
    assert found(factory)[-1] == "Stopt"


# Searching.

WORDS = ("speeltuin", "moestuin", "bloemen", "fietsenstalling", "indië", "straatfeest", "muziek", "tuinbank")


@pytest.mark.parametrize(
    ("typed", "group", "is_corrected"),
    [
        ("speeltuin", ("speeltuin",), False),
        ("Speeltuin", ("Speeltuin",), False),
        ("speltuin", ("speeltuin",), True),
        ("seepltuin", ("speeltuin",), True),
        ("bloemne", ("bloemen",), True),
        ("fietsenstaling", ("fietsenstalling",), True),
        ("fietsestaling", ("fietsenstalling",), True),
        ("Indie", ("Indie", "indië"), False),
        ("tuin", ("tuin", "speeltuin", "moestuin", "tuinbank"), False),
        ("muz", ("muz",), False),
        ("zwembad", ("zwembad",), False),
        ("1234", ("1234",), False),
    ],
)
def test_a_word_is_read_as_the_nearest_published_word(typed: str, group: tuple[str, ...], is_corrected: bool) -> None:
    assert read_word(typed, vocabulary_of(WORDS)) == (group, is_corrected)


@pytest.mark.parametrize(
    ("search", "titles", "says"),
    [
        ("glibaan", ["Een nieuwe glijbaan"], "Dit vonden we met “glijbaan”"),
        ("niewe glibaan", ["Een nieuwe glijbaan"], "Dit vonden we met “nieuwe glijbaan”"),
        ("de glibaan", ["Een nieuwe glijbaan"], "glijbaan"),
        ("feest", ["Straatfeest"], "Je ziet ook langere woorden"),
        ('"glibaan"', [], "We vonden niets"),
        ("glibaan -nieuwe", [], "We vonden niets"),
        ("zwembad", [], "We vonden niets"),
    ],
)
def test_a_search_that_finds_nothing_is_read_forgivingly(
    factory: Factory, browser_client: Browser, search: str, titles: list[str], says: str
) -> None:
    factory.initiative(title="Een nieuwe glijbaan")
    factory.initiative(title="Straatfeest")
    factory.session.commit()

    page = browser_client.get(f"/initiatieven?zoek={search}")

    assert shown(page) == titles
    assert says in page.text
    assert page.field("zoek") == search


def test_words_of_what_is_not_public_are_not_told(factory: Factory, browser_client: Browser) -> None:
    factory.initiative(State.SUBMITTED, title="Geheimzinnigheid")
    factory.session.commit()

    page = browser_client.get("/initiatieven?zoek=geheimzinigheid")

    assert "geheimzinnigheid" not in page.html.casefold()


@pytest.mark.parametrize(
    ("search", "address"),
    [("windmolenbrok", "/initiatieven?wijk=windmolenbroek"), ("Groenevelt", "/initiatieven?buurt=groeneveld")],
)
@pytest.mark.usefixtures("session")
def test_who_types_a_place_is_shown_the_way_to_it(browser_client: Browser, search: str, address: str) -> None:
    page = browser_client.get(f"/initiatieven?zoek={search}")

    assert page.one(".abs-read-as a").attrs["href"] == address


# What an empty list says, and every link in it leads on.


def test_an_empty_list_helps_on(town: Factory, browser_client: Browser) -> None:
    town.session.commit()

    page = browser_client.get("/initiatieven?wijk=aadorp&thema=green&status=published&nodig=hands&zoek=poort")

    assert shown(page) == []
    links = [link.attrs["href"] for link in page.all(".abs-empty a")]
    assert "Zoek zonder filters: dan is er 1 initiatief" in page.text
    assert "/initiatieven?wijk=aadorp" not in links[0]
    assert shown(browser_client.get(links[0])) == ["Poort"]
    for link in links:
        browser_client.get(link)


def test_the_mix_is_explained_beside_the_list(town: Factory, browser_client: Browser) -> None:
    town.session.commit()

    assert "Zo werkt de eerlijke mix" in browser_client.get("/initiatieven").text
    assert "Zo werkt de eerlijke mix" not in browser_client.get("/initiatieven?volgorde=nieuw").text


def test_a_link_to_another_page_keeps_the_whole_filter(factory: Factory, browser_client: Browser) -> None:
    for _ in range(13):
        need(factory, factory.initiative(theme=Theme.PLAY), NeedKind.HANDS)
    factory.session.commit()
    args = "zoek=plein&wijk=windmolenbroek&buurt=groeneveld&thema=play&status=published&nodig=hands&volgorde=nieuw"

    following = browser_client.get(f"/initiatieven?{args}").one('[rel="next"]').attrs["href"]

    assert set(following.partition("?")[2].split("&")) == {*args.split("&"), "pagina=2"}
    assert len(shown(browser_client.get(following))) == 1


def test_pages_of_every_order_hold_everything_once(factory: Factory) -> None:
    made = {factory.initiative().id for _ in range(7)}
    count_progress(factory.session, now=factory.now)
    factory.session.execute(update(Initiative).values(published_at=factory.now))  # all alike

    for order in Order:
        wanted = listing.Wanted(order=order)
        pages = [
            listing.fetch_page(factory.session, wanted, total=7, today=TODAY, number=number, size=3)
            for number in (1, 2, 3)
        ]
        assert sorted(itertools.chain.from_iterable([card.id for card in page.items] for page in pages)) == sorted(made)
