# SPDX-License-Identifier: EUPL-1.2
"""What a municipality invented for its demo: initiatives, what is written about them, and who talks."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Tables = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Story:
    """What stands in the municipality's demo folder.

    ``plans``, ``news`` and ``accounts`` are by the key of an initiative; ``answers`` to the rules check are by theme.
    """

    initiatives: Tables
    messages: list[str]
    giver_names: list[str]
    closed_round_districts: list[str]
    answers: dict[str, dict[str, str]]
    plans: dict[str, dict[str, Any]]
    desk: dict[str, Any]
    news: dict[str, dict[str, Any]]
    accounts: dict[str, dict[str, Any]]
    questions: Tables
    offers: Tables
    money: dict[str, Any]
    rounds: dict[str, Any]

    @classmethod
    def read(cls, folder: Path) -> Story:
        """Read the files of the folder."""

        def load(name: str) -> dict[str, Any]:
            return tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8"))

        data, plans, talk = load("initiatives"), load("plans"), load("talk")
        return cls(
            initiatives=data["initiative"] + load("submitted")["initiative"],
            messages=data["messages"],
            giver_names=data["giver_names"],
            closed_round_districts=data["closed_round_districts"],
            answers=plans["answers"],
            plans=plans["plan"],
            desk=load("desk"),
            news=load("news"),
            accounts=load("accounts"),
            questions=talk["question"],
            offers=talk["offer"],
            money=load("money"),
            rounds=load("rounds"),
        )
