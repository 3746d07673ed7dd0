# SPDX-License-Identifier: EUPL-1.2
"""Who does something: the name that stands beside every event."""

from dataclasses import dataclass
from typing import Literal

ActorKind = Literal["giver", "organiser", "staff", "job", "command"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody or something that acts. ``name`` is a job's or command's name, never a giver's."""

    kind: ActorKind
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}" if self.name else self.kind


GIVER = Actor("giver")


def account_number(written: str) -> int | None:
    """The number of the account of an actor as it stands beside an event; None for a job, a command or a giver."""
    kind, _colon, name = written.partition(":")
    return int(name) if kind in {"staff", "organiser"} and name.isdecimal() and len(name) < 19 else None
