# SPDX-License-Identifier: EUPL-1.2
"""Who may speak for the municipality in an area, in news and on the agenda."""

from __future__ import annotations

from collections.abc import Iterable

from abs_platform.areas.queries import AreaRow
from abs_platform.areas.states import AreaLevel
from abs_platform.users import User


def can_post(user: User, area: AreaRow) -> bool:
    """A wijkregisseur speaks in her own districts and where she stands in; the coordinator everywhere.

    For the whole city that is the coordinator, and who holds the city as a desk.
    """
    if user.is_coordinator:
        return True
    return user.is_district_manager and desk_of(area) in user.desk_area_ids


def desk_of(area: AreaRow) -> int | None:
    """Whose desk an area is of: a neighbourhood is of its district."""
    return area.parent_id if area.level == AreaLevel.NEIGHBOURHOOD else area.id


def may_post_in(user: User, areas: Iterable[AreaRow]) -> list[AreaRow]:
    """The whole city and the districts in which somebody may post, the city first; a form offers these."""
    offered = [area for area in areas if area.level != AreaLevel.NEIGHBOURHOOD and can_post(user, area)]
    return sorted(offered, key=lambda area: (area.level != AreaLevel.MUNICIPALITY, area.name.casefold()))


def area_chosen(user: User, areas: Iterable[AreaRow], chosen: str, now_of: int | None) -> int | None:
    """The area that a form names, if this person may post there; nothing chosen leaves it as it was."""
    if now_of is not None and chosen in {"", str(now_of)}:
        return now_of
    return next((area.id for area in may_post_in(user, areas) if str(area.id) == chosen), None)
