# SPDX-License-Identifier: EUPL-1.2
"""What happens in the demo and when: planned first, then done in the order of time."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from itertools import count

from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.config import Settings
from abs_platform.demo.story import Story
from abs_platform.storage import FileStore
from abs_platform.users import User
from abs_platform.vouchers.codes import CodeKeys
from abs_platform.working_days import add_working_days, is_working_day

# One short step, in a transaction, at its moment.
Action = Callable[[Session, dt.datetime], None]

MINUTE = dt.timedelta(minutes=1)


class Timeline:
    """Timed actions, and what the ones before leave for the ones after: numbers of initiatives, and their people."""

    def __init__(
        self,
        settings: Settings,
        *,
        keys: CodeKeys,
        store: FileStore,
        data: Story,
        chance: random.Random,
        now: dt.datetime,
    ) -> None:
        self.settings, self.keys, self.store = settings, keys, store
        self.data, self.chance, self.now = data, chance, now
        self.ids: dict[str, int] = {}
        self.people: dict[str, list[User]] = {}
        self._order = count()
        self._actions: list[tuple[dt.datetime, int, Action]] = []

    def at(self, moment: dt.datetime, action: Action) -> None:
        """Plan an action; what would come after now comes just before it, in the order in which it was planned."""
        self._actions.append((min(moment, self.now - MINUTE), next(self._order), action))

    def in_order(self) -> list[tuple[dt.datetime, Action]]:
        """All that happens, in the order of time."""
        return [(moment, action) for moment, _order, action in sorted(self._actions, key=lambda item: item[:2])]

    def day(self, days_ago: float, hour: float = 9) -> dt.datetime:
        """An hour of a day so many days ago."""
        return self._hour(clock.local_date(self.now - dt.timedelta(days=days_ago)), hour)

    def working_day(self, working_days_ago: int, hour: float = 9) -> dt.datetime:
        """An hour of a day so many working days ago; 0 is today, and an hour that is still to come is now."""
        today = clock.local_date(self.now)
        return min(self._hour(add_working_days(today, -working_days_ago), hour), self.now - MINUTE)

    def at_the_office(self, moment: dt.datetime, *, before: bool = False) -> dt.datetime:
        """That day by daylight, or the first working day after it (or before it): when staff decide."""
        day, hour = clock.local_date(moment), 9 + self.chance.randrange(28) / 4
        return self._hour(day if is_working_day(day) else add_working_days(day, -1 if before else 1), hour)

    def initiator(self, key: str) -> User:
        """Who began an initiative."""
        return self.people[key][0]

    def _hour(self, day: dt.date, hour: float) -> dt.datetime:
        return clock.start_of_day(day) + dt.timedelta(hours=hour)


def between(start: dt.datetime, end: dt.datetime, number: int) -> list[dt.datetime]:
    """So many moments, evenly spread between two others."""
    return [start + (end - start) * (place / (number + 1)) for place in range(1, number + 1)]
