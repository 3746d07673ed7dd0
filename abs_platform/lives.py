# SPDX-License-Identifier: EUPL-1.2
"""Words with a label, and lives: a life is a table of allowed moves; every pair that is not in the table raises."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Self, TypeVar

from flask_babel import LazyString

from abs_platform.errors import InvalidTransition


class LabelledEnum(StrEnum):
    """A value for code and database, and a label for people's eyes."""

    _label: LazyString | str

    def __new__(cls, value: str, label: LazyString | str = "") -> Self:
        """Keep the label beside the value."""
        member = str.__new__(cls, value)
        member._value_ = value
        member._label = label
        return member

    @property
    def label(self) -> str:
        """The word on the screen, in the reader's language."""
        return str(self._label)


State = TypeVar("State", bound=LabelledEnum)


def check_move(table: Mapping[State, frozenset[State]], source: State, target: State, subject: str) -> None:
    """Raises: InvalidTransition unless the table allows the move."""
    if target not in table[source]:
        raise InvalidTransition(subject, source.label, target.label)
