# SPDX-License-Identifier: EUPL-1.2
"""The background of the map: none, that of the Dutch land registry, or a tile server of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

PDOK = "https://service.pdok.nl/brt/achtergrondkaart/wmts/v2_0/standaard/EPSG:3857/{z}/{x}/{y}.png"
PDOK_ATTRIBUTION = "Kaartgegevens © Kadaster"


@dataclass(frozen=True, slots=True)
class MapTiles:
    """Where tiles come from, and whose they are."""

    url: str
    attribution: str

    @property
    def origin(self) -> str:
        """What a page with a map may load pictures from."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Self | None:
        """The setting: ``pdok``, or an address with {z}, {x} and {y}, a space, and whose it is. Raises: ValueError."""
        given = env.get("ABS_MAP_TILES", "").strip()
        if not given:
            return None
        if given == "pdok":
            return cls(PDOK, PDOK_ATTRIBUTION)
        url, _space, attribution = given.partition(" ")
        parts = urlsplit(url)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.username
        is_plain = not set(parts.netloc) & set("{};,'\"")
        if not (is_address and is_plain and all(mark in url for mark in ("{z}", "{x}", "{y}"))):
            example = "https://tiles.example.nl/{z}/{x}/{y}.png © Example"
            raise ValueError(f"ABS_MAP_TILES is not pdok or an address like {example}")
        return cls(url, attribution.strip())
