# SPDX-License-Identifier: EUPL-1.2
"""What a reader of the public books may choose, as the address has it; what cannot be chosen is refused."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask_babel import gettext as _
from marshmallow import ValidationError, fields

from abs_platform.cashbook.states import Phase, Sort
from abs_platform.clock import start_of_day
from abs_platform.form_input import Form, load

_PERIOD = re.compile(r"(?P<year>20\d\d)(?:-(?P<month>0[1-9]|1[0-2]))?")
_CURSOR = re.compile(
    r"(?P<day>20\d\d-\d\d-\d\d)\.(?P<out>[01])\.(?P<word>[a-z_]{1,40}\+?)\.(?P<initiative>\d{1,18})\."
    r"(?P<round>\d{1,18})\.(?P<cents>-?\d{1,18})\.(?P<mark>[0-9a-f]{12}|)\.(?P<place>\d{1,9})"
)


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last movement that was shown: what everybody can see of it, and the how manieth of its likes it is.

    It holds no number of ours: nobody can ask with it which of two movements of a day came first.
    """

    day: dt.date
    is_out: bool
    word: str
    initiative_id: int
    round_id: int
    amount_cents: int
    mark: str
    place: int

    def __str__(self) -> str:
        """As it stands in an address."""
        parts = (self.day, int(self.is_out), self.word, self.initiative_id, self.round_id, self.amount_cents)
        return ".".join(map(str, (*parts, self.mark, self.place)))


@dataclass(frozen=True, slots=True)
class Filters:
    """What a reader chose. ``period`` is "2026" or "2026-11", or empty for all time.

    ``in_phase`` are the initiatives that are in the chosen phase (queries.with_phase).
    """

    period: str = ""
    sort: Sort | None = None
    phase: Phase | None = None
    round_id: int | None = None
    initiative_id: int | None = None
    in_phase: tuple[int, ...] = ()

    @property
    def since(self) -> dt.datetime | None:
        """The first moment of the period."""
        return None if not self.period else start_of_day(dt.date(self._year, self._month or 1, 1))

    @property
    def until(self) -> dt.datetime | None:
        """The first moment after the period."""
        if not self.period:
            return None
        year, month = divmod(self._year * 12 + (self._month or 12), 12)
        return start_of_day(dt.date(year, month + 1, 1))

    @property
    def has_balance(self) -> bool:
        """Whether every movement of the balance is shown, so that it can run along."""
        return self.sort is None and self.phase is None and self.round_id is None

    @property
    def is_set(self) -> bool:
        """Whether anything was chosen."""
        return bool(self.period) or not self.has_balance

    @property
    def in_address(self) -> dict[str, str]:
        """The choices as arguments of an address. Which initiative is part of its path."""
        chosen = {
            "periode": self.period,
            "soort": self.sort and self.sort.value,
            "fase": self.phase and self.phase.value,
            "ronde": self.round_id and str(self.round_id),
        }
        return {name: value for name, value in chosen.items() if value}

    def of_initiative(self, initiative_id: int) -> Filters:
        """The same, of one initiative."""
        return replace(self, initiative_id=initiative_id)

    @property
    def _year(self) -> int:
        return int(self.period[:4])

    @property
    def _month(self) -> int:
        return int(self.period[5:] or 0)


class _Word(fields.Field[Any]):
    """One of the words of a list; empty is none of them."""

    def __init__(self, words: type[Sort] | type[Phase], **options: Any) -> None:
        super().__init__(load_default=None, **options)
        self.words = words

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        if not value:
            return None
        if value not in [word.value for word in self.words]:
            raise ValidationError(_("Deze keuze is er niet. Kies er een uit de lijst."))
        return self.words(value)


class _Period(fields.Field[str]):
    """A year or a month."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:  # noqa: ARG002
        if value and not (value.isascii() and _PERIOD.fullmatch(value)):
            raise ValidationError(_("Deze periode is er niet. Kies een jaar of een maand uit de lijst."))
        return str(value)


class _Number(fields.Field[int | None]):
    """A number of a thing."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int | None:  # noqa: ARG002
        if not value:
            return None
        if not (value.isascii() and value.isdecimal() and len(value) < 19):
            raise ValidationError(_("Deze keuze is er niet. Kies er een uit de lijst."))
        return int(value)


class _Place(fields.Field[Cursor | None]):
    """Where a page begins."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Cursor | None:  # noqa: ARG002
        if not value:
            return None
        found = _CURSOR.fullmatch(value) if value.isascii() else None
        day = None if found is None else _day(found["day"])
        if found is None or day is None:
            raise ValidationError(_("Deze bladzijde is er niet. Begin bij de nieuwste regel."))
        initiative_id, round_id, cents, place = (int(found[name]) for name in ("initiative", "round", "cents", "place"))
        return Cursor(day, found["out"] == "1", found["word"], initiative_id, round_id, cents, found["mark"], place)


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


class FiltersForm(Form):
    """The choices in the address of a book."""

    periode = _Period(load_default="")
    soort = _Word(Sort)
    fase = _Word(Phase)
    ronde = _Number(load_default=None)
    na = _Place(load_default=None)


def read_filters(sent: Mapping[str, str]) -> tuple[Filters, Cursor | None]:
    """The choices and where the page begins. Raises: InvalidInput with a sentence for each that cannot be."""
    chosen = load(FiltersForm(), sent)
    return Filters(chosen["periode"], chosen["soort"], chosen["fase"], chosen["ronde"]), chosen["na"]
