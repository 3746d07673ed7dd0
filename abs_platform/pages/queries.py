# SPDX-License-Identifier: EUPL-1.2
"""What the home page tells about the whole platform, and what goes on near somebody's home."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy.orm import Session

from abs_platform.areas.queries import AreaRow, list_areas
from abs_platform.areas.states import AreaLevel
from abs_platform.donations.queries import overall_total
from abs_platform.initiatives.listing import Place, Wanted, fetch_page
from abs_platform.initiatives.queries import InitiativeCard, count_by_state
from abs_platform.initiatives.states import InitiativeState

_FUNDED = (InitiativeState.FUNDED, InitiativeState.IN_PROGRESS, InitiativeState.REALISED)


@dataclass(frozen=True, slots=True)
class PlatformTotals:
    """What all residents did together; the amount in cents."""

    raised_cents: int
    gifts: int
    initiatives_collecting: int
    initiatives_funded: int


@dataclass(frozen=True, slots=True)
class District:
    """A district or village with its neighbourhoods, by name."""

    area: AreaRow
    neighbourhoods: list[AreaRow]


@dataclass(frozen=True, slots=True)
class Town:
    """All areas, for whoever looks for the own neighbourhood."""

    areas: list[AreaRow]

    @property
    def districts(self) -> list[District]:
        """The districts by name, each with its neighbourhoods by name."""
        return [District(one, self._named(AreaLevel.NEIGHBOURHOOD, one.id)) for one in self._named(AreaLevel.DISTRICT)]

    def neighbourhood(self, slug: str) -> AreaRow | None:
        """The neighbourhood at this address, or None."""
        return next((one for one in self.areas if one.level == AreaLevel.NEIGHBOURHOOD and one.slug == slug), None)

    def by_id(self, area_id: int | None) -> AreaRow | None:
        """An area by its number, or None."""
        return next((one for one in self.areas if one.id == area_id), None)

    def around(self, neighbourhood: AreaRow) -> Place:
        """The neighbourhood, then its district, then what lies beside it there, then the whole city."""
        near, district, city = Place.around(self.areas, neighbourhood).rings
        beside = tuple(one.id for one in self.areas if one.parent_id in district and one.id not in near)
        return Place((near, district, beside, city))

    def _named(self, level: AreaLevel, parent_id: int | None = None) -> list[AreaRow]:
        found = [one for one in self.areas if one.level == level and parent_id in {None, one.parent_id}]
        return sorted(found, key=lambda one: one.name.casefold())


def platform_totals(session: Session) -> PlatformTotals:
    """The totals in two queries. The first adds up all gifts: pages ask totals.platform_totals_of_late instead."""
    total, counts = overall_total(session), count_by_state(session)
    return PlatformTotals(
        raised_cents=total.cents,
        gifts=total.givers,
        initiatives_collecting=counts.get(InitiativeState.PUBLISHED, 0),
        initiatives_funded=sum(counts.get(state, 0) for state in _FUNDED),
    )


def town(session: Session) -> Town:
    """The current areas."""
    return Town(list_areas(session))


def near(session: Session, place: Place, *, today: dt.date, limit: int) -> list[InitiativeCard]:
    """What collects near a home: the nearest first, what is for the whole city last."""
    wanted = Wanted(states=(InitiativeState.PUBLISHED,), place=place)
    return fetch_page(session, wanted, total=limit, today=today, size=limit).items
