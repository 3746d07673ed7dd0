# SPDX-License-Identifier: EUPL-1.2
"""What a municipality invented for its demo: initiatives, givers and their messages."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Story:
    """What stands in the municipality's demo folder."""

    initiatives: list[dict[str, Any]]
    messages: list[str]
    giver_names: list[str]
    closed_round_districts: list[str]

    @classmethod
    def read(cls, folder: Path) -> Story:
        """Read initiatives.toml."""
        data = tomllib.loads((folder / "initiatives.toml").read_text(encoding="utf-8"))
        return cls(data["initiative"], data["messages"], data["giver_names"], data["closed_round_districts"])
