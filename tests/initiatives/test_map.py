# SPDX-License-Identifier: EUPL-1.2
"""The map: the drawn town with its links, the pins of what is on the list, and the shapes where they are loaded."""

from __future__ import annotations

import contextvars
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update
from werkzeug.test import TestResponse

from abs_platform.areas.drawing import closed, drawing_of, flowing
from abs_platform.areas.models import Area
from abs_platform.areas.shapes import district_shapes
from abs_platform.config import Settings
from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.map_tiles import MapTiles
from abs_platform.municipality import ConfigurationError, Municipality
from abs_platform.security import content_security_policy
from abs_platform.slugs import slugify
from tests.factories import Factory
from tests.page import Browser

SQUARE = [[[6.6, 52.3], [6.7, 52.3], [6.7, 52.4], [6.6, 52.4], [6.6, 52.3]]]
GROENEVELD, AADORP = "BU01411900", "BU01412000"


def ask(app: Flask, address: str, **options: Any) -> TestResponse:
    return contextvars.Context().run(app.test_client().get, address, **options)


def read(app: Flask, address: str) -> Any:
    answer = ask(app, address)
    assert answer.status_code == 200
    return json.loads(answer.get_data())


def test_the_drawing_shows_every_district_once(app: Flask, factory: Factory) -> None:
    settings: Settings = app.extensions["settings"]
    drawing = drawing_of(settings.municipality)

    assert drawing is not None
    codes = {area.code for area in factory.session.query(Area).filter_by(level="district", is_current=True)}
    assert sorted(one.code for one in drawing.districts) == sorted(codes)
    for one in drawing.districts:
        assert 0 < one.at[0] < drawing.width
        assert 0 < one.at[1] < drawing.height
        assert slugify("".join(one.label)).replace("-", "") == slugify(one.name).replace("-", "")


def test_each_district_on_the_map_leads_to_its_list_and_says_how_many_there_are(
    factory: Factory, browser_client: Browser
) -> None:
    factory.initiative(area=GROENEVELD)
    factory.initiative(area=GROENEVELD)
    factory.initiative(area="GM0141")
    factory.session.commit()

    page = browser_client.get("/initiatieven?thema=green&buurt=groeneveld&pagina=1")

    links = {link.attrs["aria-label"]: link.attrs for link in page.all(".abs-map__district")}
    assert len(links) == 12
    chosen = links["Windmolenbroek: 2 initiatieven"]
    assert chosen["href"] == "/initiatieven?wijk=windmolenbroek&thema=green#resultaten"
    assert chosen["aria-current"] == "true"
    assert "En 1 initiatief voor de hele gemeente." in page.text
    assert "aria-current" not in links["Aadorp: 0 initiatieven"]


def test_the_pins_are_those_of_the_list(app: Flask, factory: Factory) -> None:
    here = factory.initiative(area=GROENEVELD, title="Hier")
    measured = factory.initiative(area=GROENEVELD, title="Gemeten")
    measured.latitude, measured.longitude = 52.34, 6.65
    factory.initiative(State.REALISED, area=AADORP, title="Daar", target_cents=5_000)
    factory.initiative(State.DRAFT, title="Geheim")
    factory.initiative(area="GM0141", title="Overal")
    factory.session.commit()

    drawn = read(app, "/kaart/punten.json?getekend=1&wijk=windmolenbroek")
    every = read(app, "/kaart/punten.json?getekend=1")
    plain = read(app, "/kaart/punten.json")

    assert {(pin[0], pin[1], pin[2]) for pin in drawn["pins"]} == {
        (here.id, "Hier", "collecting"),
        (measured.id, "Gemeten", "collecting"),
    }
    assert drawn["total"] == 3
    assert {pin[1]: pin[2] for pin in every["pins"]}["Daar"] == "realised"
    assert plain["pins"] == [[measured.id, "Gemeten", "collecting", 52.34, 6.65]]


def test_shapes_are_joined_from_the_neighbourhoods_and_carry_pins(app: Flask, factory: Factory) -> None:
    assert district_shapes(factory.session)["features"] == []
    shape = {"type": "Polygon", "coordinates": SQUARE}
    codes = (GROENEVELD, "BU01411901")
    factory.session.execute(update(Area).where(Area.code.in_(codes)).values(shape=shape))
    made = factory.initiative(area=GROENEVELD)
    of_district = factory.initiative(area="WK014119")
    factory.session.commit()

    shapes, points = read(app, "/kaart/gebieden.json"), read(app, "/kaart/punten.json")

    (feature,) = shapes["features"]
    assert feature["properties"] == {"code": "WK014119", "name": "Windmolenbroek", "slug": "windmolenbroek"}
    assert feature["geometry"] == {"type": "MultiPolygon", "coordinates": [SQUARE, SQUARE]}
    assert {pin[0] for pin in points["pins"]} == {made.id, of_district.id}
    assert all(52.3 <= pin[3] <= 52.4 and 6.6 <= pin[4] <= 6.7 for pin in points["pins"])


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize(("address", "seconds"), [("/kaart/gebieden.json", 86_400), ("/kaart/punten.json", 60)])
def test_what_the_map_reads_is_kept_by_caches(app: Flask, address: str, seconds: int) -> None:
    first = ask(app, address)
    again = ask(app, address, headers={"If-None-Match": first.headers["ETag"]})

    assert first.headers["Cache-Control"] == f"public, max-age={seconds}"
    assert "Set-Cookie" not in first.headers
    assert (again.status_code, again.get_data()) == (304, b"")


def test_a_pin_opens_the_card_of_what_is_public_only(app: Flask, factory: Factory) -> None:
    public, secret = factory.initiative(title="Bomen"), factory.initiative(State.DRAFT, title="Geheim")
    factory.session.commit()

    shown, hidden, none = (ask(app, f"/kaart/kaartje/{number}") for number in (public.id, secret.id, "9" * 30))

    assert "Bomen" in shown.get_data(as_text=True)
    assert "<html" not in shown.get_data(as_text=True)
    assert (hidden.status_code, none.status_code) == (404, 404)


@pytest.mark.parametrize(
    ("given", "origin", "attribution"),
    [
        ("pdok", "https://service.pdok.nl", "Kaartgegevens © Kadaster"),
        ("https://t.example.nl:8443/a/{z}/{x}/{y}.png © De Maker", "https://t.example.nl:8443", "© De Maker"),
        ("http://127.0.0.1:9/{z}/{x}/{y}.png", "http://127.0.0.1:9", ""),
    ],
)
def test_a_page_may_load_the_background_of_the_map_and_nothing_else(given: str, origin: str, attribution: str) -> None:
    tiles = MapTiles.read({"ABS_MAP_TILES": given})

    assert tiles is not None
    assert (tiles.origin, tiles.attribution) == (origin, attribution)
    policy = content_security_policy(None, tiles)
    assert f"img-src 'self' data: {origin};" in policy
    assert policy.count(origin) == 1


@pytest.mark.parametrize(
    "given",
    [
        "osm",
        "https://t.example.nl/{z}/{x}.png",
        "//t/{z}/{x}/{y}",
        "https://a;b/{z}/{x}/{y}",
        "https://{s}.nl/{z}/{x}/{y}",
    ],
)
def test_a_background_that_cannot_be_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match="ABS_MAP_TILES is not pdok"):
        MapTiles.read({"ABS_MAP_TILES": given})
    assert MapTiles.read({}) is MapTiles.read({"ABS_MAP_TILES": " "}) is None


def test_a_drawing_that_cannot_be_read_is_named_and_none_is_no_mistake(app: Flask, tmp_path: Path) -> None:
    municipality: Municipality = app.extensions["settings"].municipality
    there = replace(municipality, folder=tmp_path)

    assert drawing_of(there) is None
    (tmp_path / "elsewhere").mkdir()
    wrong = replace(municipality, folder=tmp_path / "elsewhere")
    (wrong.folder / "map.toml").write_text("width = 1\nheight = 1\n[[districts]]\ncode = 'WK1'\n")
    (wrong.folder / "areas.csv").write_text("code,naam,niveau,ouder_code\n")
    with pytest.raises(ConfigurationError, match=r"map\.toml"):
        drawing_of(wrong)


def test_corners_are_soft_and_lines_end_where_they_end() -> None:
    assert closed([(0, 0), (100, 0), (100, 100)]).startswith("M")
    assert closed([(0, 0), (100, 0), (100, 100)]).count("Q") == 3
    assert flowing([(0, 0), (100, 0), (100, 100)]).endswith("L100 100")
