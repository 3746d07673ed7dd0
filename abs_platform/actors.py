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
