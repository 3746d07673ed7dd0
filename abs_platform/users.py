# SPDX-License-Identifier: EUPL-1.2
"""Who is signed in: what every permission looks at, without a query."""

from __future__ import annotations

from dataclasses import dataclass, field

from flask_babel import lazy_gettext as _l

from abs_platform.actors import Actor
from abs_platform.lives import LabelledEnum


class Role(LabelledEnum):
    """What somebody may do for the municipality. A resident has none."""

    DISTRICT_MANAGER = "district_manager", _l("wijkregisseur")
    COORDINATOR = "coordinator", _l("beheerder")
    FINANCE = "finance", _l("financieel medewerker")
    DESK = "desk", _l("baliemedewerker")


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """An account that is signed in, as Flask-Login's user.

    ``desk_area_ids`` are the districts (and the municipality, for who holds the whole city) whose desk this person
    works at now: the own ones, and those of whom she stands in for today. ``own_area_ids`` are the own ones alone.
    """

    account_id: int
    email: str
    name: str
    roles: frozenset[Role] = frozenset()
    own_area_ids: frozenset[int] = frozenset()
    desk_area_ids: frozenset[int] = frozenset()
    has_second_factor: bool = False
    session_id: int = 0
    session_token: str = field(default="", repr=False)

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        """What Flask-Login keeps in the cookie: the token of the session, which can be ended."""
        return self.session_token

    @property
    def is_staff(self) -> bool:
        """Whether this person works for the municipality."""
        return bool(self.roles)

    @property
    def is_coordinator(self) -> bool:
        """Whether this person coordinates."""
        return Role.COORDINATOR in self.roles

    @property
    def is_district_manager(self) -> bool:
        """Whether this person is a wijkregisseur."""
        return Role.DISTRICT_MANAGER in self.roles

    @property
    def is_finance(self) -> bool:
        """Whether this person pays out."""
        return Role.FINANCE in self.roles

    @property
    def is_at_the_desk(self) -> bool:
        """Whether this person helps residents at the desk of a wijkcentrum."""
        return Role.DESK in self.roles

    @property
    def short_name(self) -> str:
        """How others see this person: the name, else the part of the address before the @."""
        return self.name or self.email.partition("@")[0]

    def actor(self) -> Actor:
        """Who stands beside an event: the number of the account, never a name."""
        return Actor("staff" if self.is_staff else "organiser", str(self.account_id))
