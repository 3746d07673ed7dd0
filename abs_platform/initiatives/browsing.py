# SPDX-License-Identifier: EUPL-1.2
"""What stands in the address of the list, and what the page of the list shows: choices, numbers and ways on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from flask_babel import gettext as _
from rapidfuzz import fuzz, process
from sqlalchemy.orm import Session

from abs_platform.areas.queries import AreaRow, list_areas
from abs_platform.areas.states import AreaLevel
from abs_platform.initiatives.listing import PAGE_SIZE, STATE_GROUPS, Counts, Order, Place, Wanted
from abs_platform.initiatives.queries import InitiativeCard, cards
from abs_platform.initiatives.remembering import counts_of, ids_of
from abs_platform.initiatives.searching import Words, fold, forgive
from abs_platform.initiatives.states import PUBLIC_STATES, NeedKind, Theme
from abs_platform.paging import Page, page_of

MAX_SEARCH = 100
# How much a search must look like the name of an area before we ask whether that was meant.
LIKE_A_NAME = 86


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFilter:
    """What stands in the address, as far as it is known here; "" where nothing was chosen."""

    search: str = ""
    district: str = ""
    neighbourhood: str = ""
    theme: str = ""
    status: str = ""
    need: str = ""
    order: str = ""

    def args(self, **changes: str) -> dict[str, str | None]:
        """The arguments of an address with this filter, or with a part of it changed."""
        other = replace(self, **changes)
        return {
            "zoek": other.search or None,
            "wijk": other.district or None,
            "buurt": other.neighbourhood or None,
            "thema": other.theme or None,
            "status": other.status or None,
            "nodig": other.need or None,
            "volgorde": other.order or None,
        }

    @property
    def chosen(self) -> int:
        """How many choices were made besides the words and the order."""
        return sum(map(bool, (self.district, self.neighbourhood, self.theme, self.status, self.need)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One option of a filter: its value, its name, and how many there are."""

    value: str
    name: str
    count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Browsed:
    """Everything on the page of the list."""

    page: Page[InitiativeCard]
    filter: ListFilter
    order: Order
    words: Words | None
    without_filter: int
    districts: list[Choice]
    neighbourhoods: list[Choice]
    themes: list[Choice]
    states: list[Choice]
    needs: list[Choice]
    orders: list[Choice]
    by_district: Mapping[str, int]  # code of the district: how many are its own
    city_wide: int
    meant: AreaRow | None


def read_filter(args: Mapping[str, str], areas: Sequence[AreaRow]) -> ListFilter:
    """The filter of an address. What is not known is left out; a neighbourhood brings its own district."""
    given = {name: args.get(name, "") for name in ("wijk", "buurt", "thema", "status", "nodig", "volgorde")}
    district = _find(areas, AreaLevel.DISTRICT, given["wijk"])
    neighbourhood = _find(areas, AreaLevel.NEIGHBOURHOOD, given["buurt"])
    if neighbourhood and district and neighbourhood.parent_id != district.id:
        neighbourhood = None  # another district was chosen since
    if neighbourhood and not district:
        district = next((area for area in areas if area.id == neighbourhood.parent_id), None)
    known_states = {*STATE_GROUPS, *(state.value for state in PUBLIC_STATES)}
    return ListFilter(
        search="".join(c for c in args.get("zoek", "") if c.isprintable())[:MAX_SEARCH].strip(),
        district=district.slug if district else "",
        neighbourhood=neighbourhood.slug if neighbourhood else "",
        theme=_known(given["thema"], Theme),
        status=_known(given["status"], known_states),
        need=_known(given["nodig"], NeedKind),
        order=_known(given["volgorde"], Order),
    )


def wanted_by(given: ListFilter, areas: Sequence[AreaRow]) -> Wanted:
    """What a filter asks for."""
    district = _find(areas, AreaLevel.DISTRICT, given.district)
    around = _find(areas, AreaLevel.NEIGHBOURHOOD, given.neighbourhood) or district
    states = STATE_GROUPS.get(given.status) or tuple(state for state in PUBLIC_STATES if state == given.status)
    order = Order(given.order) if given.order else Order.MATCH if given.search else Order.MIX
    return Wanted(
        states=states or PUBLIC_STATES,
        place=Place.around(areas, around) if around else None,
        theme=Theme(given.theme) if given.theme else None,
        need=NeedKind(given.need) if given.need else None,
        words=Words.typed(given.search) if given.search else None,
        order=Order.MIX if order == Order.MATCH and not given.search else order,
    )


def found_by(session: Session, given: ListFilter, areas: Sequence[AreaRow], *, today: dt.date) -> tuple[Wanted, Counts]:
    """What a filter asks for, read forgivingly when its words are found nowhere, and how many there are."""
    wanted = wanted_by(given, areas)
    counts = counts_of(session, wanted, today)
    if wanted.words is not None and not counts.without_filter and (words := forgive(session, given.search)):
        forgiven = replace(wanted, words=words)
        found = counts_of(session, forgiven, today)
        if found.without_filter:
            return forgiven, found
    return wanted, counts


def browse(session: Session, args: Mapping[str, str], *, today: dt.date, number: int) -> Browsed:
    """The page of the list for an address."""
    every = list_areas(session, with_ended=True)
    areas = [area for area in every if area.is_current]
    given = read_filter(args, areas)
    wanted, counts = found_by(session, given, every, today=today)
    city_wide = sum(counts.by_area[area.id] for area in every if area.level == AreaLevel.MUNICIPALITY)
    own = _by_district(every, counts)
    districts = sorted((area for area in areas if area.level == AreaLevel.DISTRICT), key=lambda one: fold(one.name))
    district = _find(areas, AreaLevel.DISTRICT, given.district)
    near = [area for area in areas if district and area.parent_id == district.id]
    wide = city_wide + (counts.by_area[district.id] if district else 0)
    return Browsed(
        page=_page(session, wanted, counts.total, today=today, number=number),
        filter=given,
        order=wanted.order,
        words=wanted.words,
        without_filter=counts.without_filter,
        districts=[Choice(value=one.slug, name=one.name, count=own[one.id] + city_wide) for one in districts],
        neighbourhoods=[Choice(value=one.slug, name=one.name, count=counts.by_area[one.id] + wide) for one in near],
        themes=[Choice(value=one.value, name=one.label, count=counts.by_theme[one.value]) for one in Theme],
        states=_state_choices(given, counts),
        needs=[Choice(value=kind.value, name=name) for kind, name in _needs()],
        orders=[Choice(value=order.value, name=name) for order, name in _orders(given)],
        by_district={one.code: own[one.id] for one in districts},
        city_wide=city_wide,
        meant=_meant(given, districts, areas),
    )


def _page(session: Session, wanted: Wanted, total: int, *, today: dt.date, number: int) -> Page[InitiativeCard]:
    window = page_of(total, number, PAGE_SIZE)
    chosen = ids_of(session, wanted, today, offset=window.offset, size=PAGE_SIZE) if total else []
    return Page(items=cards(session, chosen, today=today), number=window.number, pages=window.pages, total=total)


def _by_district(every: Sequence[AreaRow], counts: Counts) -> dict[int, int]:
    own = {area.id: counts.by_area[area.id] for area in every if area.level == AreaLevel.DISTRICT}
    for area in every:
        if area.level == AreaLevel.NEIGHBOURHOOD and area.parent_id in own:
            own[area.parent_id] += counts.by_area[area.id]
    return own


def _state_choices(given: ListFilter, counts: Counts) -> list[Choice]:
    names = {
        "published": _("Haalt nu geld op"),
        "funded": _("Bedrag is binnen"),
        "realised": _("Gelukt"),
        "ended": _("Ging niet door"),
    }
    choices = [
        Choice(value=value, name=names[value], count=sum(counts.by_state[state.value] for state in states))
        for value, states in STATE_GROUPS.items()
    ]
    if given.status and given.status not in STATE_GROUPS:
        (state,) = (state for state in PUBLIC_STATES if state == given.status)
        name = state.label.capitalize()
        choices.append(Choice(value=given.status, name=name, count=counts.by_state[state.value]))
    return choices


def _needs() -> list[tuple[NeedKind, str]]:
    return [
        (NeedKind.HANDS, _("Hulp van mensen")),
        (NeedKind.MATERIALS, _("Spullen en materiaal")),
        (NeedKind.KNOWLEDGE, _("Kennis")),
    ]


def _orders(given: ListFilter) -> list[tuple[Order, str]]:
    best = [(Order.MATCH, _("Past het best"))] if given.search else []
    return [
        *best,
        (Order.MIX, _("Eerlijke mix")),
        (Order.ALMOST, _("Bijna rond")),
        (Order.NEWEST, _("Nieuwste eerst")),
        (Order.ENDING, _("Stopt binnenkort")),
    ]


def _meant(given: ListFilter, districts: Sequence[AreaRow], areas: Sequence[AreaRow]) -> AreaRow | None:
    """The district or neighbourhood whose name was typed as words, more or less; none while one is chosen."""
    if len(given.search) < 4 or given.district:
        return None
    near = [*districts, *(area for area in areas if area.level == AreaLevel.NEIGHBOURHOOD)]
    names = [fold(area.name) for area in near]
    best = process.extractOne(fold(given.search), names, scorer=fuzz.ratio, score_cutoff=LIKE_A_NAME)
    return near[best[2]] if best else None


def _find(areas: Iterable[AreaRow], level: AreaLevel, slug: str) -> AreaRow | None:
    return next((area for area in areas if slug and area.level == level and area.slug == slug), None)


def _known(value: str, known: Iterable[str]) -> str:
    return value if value in set(known) else ""
