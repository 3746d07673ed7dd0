# SPDX-License-Identifier: EUPL-1.2
"""Pages of long lists."""

from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

Item = TypeVar("Item")


class Window(NamedTuple):
    """Which rows a page holds."""

    number: int
    pages: int
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Item]):
    """One page of a list; numbers start at 1."""

    items: list[Item]
    number: int
    pages: int
    total: int

    @property
    def has_prev(self) -> bool:
        """Whether there is a page before this one."""
        return self.number > 1

    @property
    def has_next(self) -> bool:
        """Whether there is a page after this one."""
        return self.number < self.pages


def page_of(total: int, number: int, size: int) -> Window:
    """The window of a page; a number beyond the ends becomes the nearest page."""
    pages = max(1, -(-total // size))
    number = min(max(1, number), pages)
    return Window(number, pages, (number - 1) * size)


def page_asked(text: str) -> int:
    """The number of the page in an address; 1 for what is no number of a page."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else 1
