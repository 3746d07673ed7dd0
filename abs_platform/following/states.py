# SPDX-License-Identifier: EUPL-1.2
"""What one can follow, what the weekly mail tells of it, and when it goes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l

from abs_platform.clock import AMSTERDAM
from abs_platform.lives import LabelledEnum

UNCONFIRMED_KEPT = dt.timedelta(days=7)
MOST_TOPICS = 40
# How often may be asked: for one client, for one client and address, and for an address by all together.
ASKS_PER_CLIENT = 20
ASKS_PER_PAIR = 5
ASKS_PER_ADDRESS_A_DAY = 10
HOUR, DAY, WEEK = dt.timedelta(hours=1), dt.timedelta(days=1), dt.timedelta(days=7)

_THURSDAY, _AT = 3, dt.time(16)
# What is this new waits for the next mail: whoever wrote it may still be busy writing it down.
SETTLING = dt.timedelta(minutes=5)
# After so long a mail has missed its week: its news goes with the next one.
LATE_AFTER = dt.timedelta(days=3)
# From this share of its target an initiative is almost there.
ALMOST_PERCENT = 80


class FollowKind(LabelledEnum):
    """What a follow is about."""

    AREA = "area", _l("buurt, wijk of gemeente")
    THEME = "theme", _l("thema")
    INITIATIVE = "initiative", _l("initiatief")


class ItemKind(LabelledEnum):
    """What the weekly mail tells."""

    NEW = "new", _l("Nieuw initiatief")
    ALMOST = "almost", _l("Bijna rond")
    FUNDED = "funded", _l("Het bedrag is binnen")
    REALISED = "realised", _l("Gelukt")
    UPDATE = "update", _l("Bericht van de organisatoren")
    POST = "post", _l("Nieuws van de gemeente")
    AGENDA = "agenda", _l("Agenda")


_IN_ADDRESS = {FollowKind.AREA: "gebied", FollowKind.THEME: "thema", FollowKind.INITIATIVE: "initiatief"}


@dataclass(frozen=True, slots=True)
class Topic:
    """One thing to follow: an area or an initiative by its number, or a theme by its name."""

    kind: FollowKind
    area_id: int | None = None
    theme: str | None = None
    initiative_id: int | None = None

    @property
    def key(self) -> str:
        """As it stands in addresses and forms: "gebied:12", "thema:green", "initiatief:3"."""
        return f"{_IN_ADDRESS[self.kind]}:{self.area_id or self.theme or self.initiative_id}"


def split_key(key: str) -> tuple[FollowKind, str] | None:
    """The kind and the rest of such a key, or None when it is none of ours."""
    word, _colon, rest = key.partition(":")
    kind = next((kind for kind, name in _IN_ADDRESS.items() if name == word), None)
    return None if kind is None or not rest or not rest.isprintable() else (kind, rest)


def last_moment(now: dt.datetime) -> dt.datetime:
    """When the last weekly mail was due: Thursday at four in the afternoon."""
    local = now.astimezone(AMSTERDAM)
    day = local.date() - dt.timedelta(days=(local.weekday() - _THURSDAY) % 7)
    moment = dt.datetime.combine(day, _AT, AMSTERDAM)
    return (moment if moment <= now else dt.datetime.combine(day - WEEK, _AT, AMSTERDAM)).astimezone(dt.UTC)
