# SPDX-License-Identifier: EUPL-1.2
"""Who may change what the page of a district says, and how a wijkregisseur is introduced there."""

from abs_platform.users import User


def can_welcome(user: User, district_id: int, municipality_id: int | None) -> bool:
    """A wijkregisseur at the desk of the district, who holds the whole city, and the coordinator."""
    desks = {district_id, municipality_id} & user.desk_area_ids
    return user.is_coordinator or (user.is_district_manager and bool(desks))


def can_introduce(user: User, account_id: int) -> bool:
    """She herself, and the coordinator."""
    return user.is_coordinator or (user.is_district_manager and user.account_id == account_id)
