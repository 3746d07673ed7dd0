# SPDX-License-Identifier: EUPL-1.2
"""Loading areas: the packaged list, the published files, a newer edition, and whatever can be wrong with a file."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.areas.models import Area
from abs_platform.areas.queries import id_of_code, list_areas, list_districts
from abs_platform.areas.service import AreasReport, load_areas
from abs_platform.areas.states import AreaLevel
from abs_platform.config import ROOT_DIR
from abs_platform.errors import InvalidInput
from abs_platform.events import Event
from abs_platform.municipality import Municipality
from abs_platform.slugs import slugify
from tests.factories import TEST_ACTOR

ALMELO = Municipality.load("almelo")
# The published files (CBS/Kadaster 2024) stand beside a checkout on some machines; the first is also packaged.
PUBLISHED = ROOT_DIR.parent / "shared" / "data"
HEADER = "code,naam,niveau,ouder_code"
TOWN = ("GM9999,Dorpstad,gemeente,", "WK999901,Zuid,wijk,GM9999", "BU99990101,Plein,buurt,WK999901")


def write(folder: Path, *lines: str, header: str = HEADER, end: str = "\n") -> Path:
    path = folder / "gebieden.csv"
    path.write_bytes(end.join([header, *lines, ""]).encode())
    return path


def write_shapes(folder: Path, *codes: str) -> Path:
    path = folder / "vormen.geojson"
    geometry = {"type": "Polygon", "coordinates": [[[6.6, 52.3], [6.7, 52.3], [6.7, 52.4], [6.6, 52.3]]]}
    features = [{"type": "Feature", "geometry": geometry, "properties": {"statcode": code}} for code in codes]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def load(session: Session, path: Path, *shapes: Path, edition: int = 2024, **options: Any) -> AreasReport:
    options.setdefault("villages", ALMELO.villages)
    return load_areas(session, path, edition=edition, shapes_paths=shapes, actor=TEST_ACTOR, now=clock.now(), **options)


def area(session: Session, code: str) -> Area:
    return session.scalars(select(Area).where(Area.code == code).execution_options(populate_existing=True)).one()


def rows(session: Session) -> list[Any]:
    return list(session.execute(text("SELECT a::text FROM areas a ORDER BY id")))


def test_almelo_has_twelve_districts_and_seventy_one_neighbourhoods(session: Session) -> None:
    areas = list_areas(session)

    assert Counter(row.level for row in areas) == {
        AreaLevel.MUNICIPALITY: 1,
        AreaLevel.DISTRICT: 12,
        AreaLevel.NEIGHBOURHOOD: 71,
    }
    per_district = Counter(row.code[2:8] for row in areas if row.level == AreaLevel.NEIGHBOURHOOD)
    assert [per_district[f"0141{number}"] for number in range(10, 22)] == [4, 7, 8, 7, 8, 3, 6, 5, 7, 12, 2, 2]
    assert {row.name: row.kind for row in list_districts(session) if row.kind == "dorp"} == {
        "Aadorp": "dorp",
        "Bornerbroek": "dorp",
    }


def test_each_neighbourhood_lies_in_the_district_of_its_code(session: Session) -> None:
    parents = session.execute(
        text("SELECT n.code, d.code FROM areas n JOIN areas d ON d.id = n.parent_id WHERE n.level = 'neighbourhood'")
    ).all()

    assert len(parents) == 71
    assert all(code[2:8] == parent[2:8] for code, parent in parents)


def test_a_second_load_of_the_same_list_changes_nothing(session: Session) -> None:
    before = rows(session)

    report = load(session, ALMELO.areas_csv)

    assert (report.loaded, report.ended) == (84, 0)
    assert rows(session) == before


def test_the_published_list_is_the_packaged_one_and_its_shapes_are_kept(session: Session) -> None:
    if not PUBLISHED.exists():
        pytest.xfail("the published files do not stand beside this checkout")
    shapes = (PUBLISHED / "almelo_wijken.geojson", PUBLISHED / "almelo_buurten.geojson")

    report = load(session, PUBLISHED / "almelo_gebieden.csv", *shapes)
    after_first = rows(session)
    again = load(session, ALMELO.areas_csv)

    assert report == AreasReport(loaded=84, ended=0, without_shape=1)
    assert again == report
    assert rows(session) == after_first
    assert area(session, "BU01411801").shape is None
    shape = area(session, "WK014119").shape
    assert shape is not None
    assert shape["type"] in {"Polygon", "MultiPolygon"}


def test_a_neighbourhood_without_a_shape_is_normal_and_a_list_without_shapes_keeps_those_that_were_there(
    session: Session, tmp_path: Path
) -> None:
    path = write(tmp_path, *TOWN, "BU99990102,Park,buurt,WK999901")

    first = load(session, path, write_shapes(tmp_path, "BU99990101", "WK999901"))
    again = load(session, path)

    assert (first.without_shape, again.without_shape) == (1, 1)
    assert area(session, "BU99990101").shape is not None
    assert area(session, "BU99990102").shape is None


def test_a_newer_edition_ends_what_it_lacks_and_brings_back_what_it_has_again(session: Session, tmp_path: Path) -> None:
    load(session, write(tmp_path, *TOWN, "BU99990102,Park,buurt,WK999901"), edition=2024)
    gone_id = id_of_code(session, "BU99990102")

    report = load(session, write(tmp_path, *TOWN, "BU99990103,Haven,buurt,WK999901"), edition=2025)

    assert (report.loaded, report.ended) == (4, 1)
    gone = area(session, "BU99990102")
    assert (gone.id, gone.is_current, gone.edition) == (gone_id, False, 2024)
    assert area(session, "BU99990101").edition == 2025
    assert [row.name for row in list_areas(session, AreaLevel.NEIGHBOURHOOD)] == ["Plein", "Haven"]

    back = load(session, write(tmp_path, *TOWN, "BU99990102,Park,buurt,WK999901"), edition=2026)

    assert back.ended == 1
    assert area(session, "BU99990102").is_current
    assert area(session, "BU99990102").id == gone_id


def test_an_area_that_is_renamed_or_moves_keeps_its_row(session: Session, tmp_path: Path) -> None:
    load(session, write(tmp_path, *TOWN, "WK999902,Noord,wijk,GM9999"))
    before = area(session, "BU99990101").id

    load(session, write(tmp_path, *TOWN[:2], "WK999902,Noord,wijk,GM9999", "BU99990101,Groot Plein,buurt,WK999902"))

    after = area(session, "BU99990101")
    assert (after.id, after.name, after.slug) == (before, "Groot Plein", "groot-plein")
    assert after.parent_id == id_of_code(session, "WK999902")


def test_a_name_that_an_ended_area_had_can_be_used_again(session: Session, tmp_path: Path) -> None:
    load(session, write(tmp_path, *TOWN))

    load(session, write(tmp_path, *TOWN[:2], "BU99990109,Plein,buurt,WK999901"), edition=2025)
    again = rows(session)
    load(session, write(tmp_path, *TOWN[:2], "BU99990109,Plein,buurt,WK999901"), edition=2025)

    assert area(session, "BU99990109").is_current
    assert rows(session) == again


def test_areas_that_swap_their_names_swap_them(session: Session, tmp_path: Path) -> None:
    load(session, write(tmp_path, *TOWN, "BU99990102,Park,buurt,WK999901"))

    load(session, write(tmp_path, *TOWN[:2], "BU99990101,Park,buurt,WK999901", "BU99990102,Plein,buurt,WK999901"))

    assert area(session, "BU99990101").name == "Park"
    assert area(session, "BU99990102").name == "Plein"
    assert area(session, "BU99990101").slug != area(session, "BU99990102").slug


def test_two_areas_with_one_name_get_addresses_of_their_own(session: Session, tmp_path: Path) -> None:
    load(session, write(tmp_path, *TOWN, "BU99990102,Plein,buurt,WK999901", "BU99990103,!!!,buurt,WK999901"))

    slugs = [area(session, f"BU9999010{number}").slug for number in (1, 2, 3)]
    assert slugs == ["plein", "plein-bu99990102", "bu99990103"]


def test_loading_is_an_event(session: Session, tmp_path: Path) -> None:
    load(session, write(tmp_path, *TOWN), edition=2025)

    event = session.scalars(select(Event).order_by(Event.id.desc()).limit(1)).one()

    assert (event.kind, event.actor) == ("areas.loaded", "staff:test")
    assert event.details == {"edition": 2025, "areas": 3, "ended": 84}


@pytest.mark.parametrize(
    ("name", "villages", "kinds"),
    [("wijk", frozenset(), ["wijk"]), ("dorp", frozenset(), ["dorp"]), ("wijk", frozenset({"WK999901"}), ["dorp"])],
)
def test_a_village_is_named_in_the_list_or_by_the_municipality(
    session: Session, tmp_path: Path, name: str, villages: frozenset[str], kinds: list[str]
) -> None:
    load(session, write(tmp_path, TOWN[0], f"WK999901,Zuid,{name},GM9999"), villages=villages)

    assert [row.kind for row in list_districts(session)] == kinds


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + "\n".join((HEADER, *TOWN)).encode(),
        "\r\n".join((HEADER, *TOWN, "")).encode(),
        "\n".join((HEADER, *TOWN)).replace(",", ";").encode(),
        ('"code","naam","niveau","ouder_code"\n' + "\n".join(TOWN).replace("Zuid", '"Zuid"')).encode(),
        ("naam,code,ouder_code,niveau,extra\n" + "\n".join(_swapped(line) for line in TOWN)).encode()
        if (_swapped := lambda line: "{1},{0},{3},{2},x".format(*line.split(",")))
        else b"",
        "\n".join((HEADER, TOWN[2], TOWN[1], TOWN[0])).encode(),
        "\n".join((HEADER, *(line.replace(",", " , ", 1) for line in TOWN))).encode(),
    ],
    ids=["BOM", "CRLF", "semicolons", "quotes", "other order and an extra column", "children first", "spaces"],
)
def test_a_list_is_read_in_each_usual_form(session: Session, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "gebieden.csv"
    path.write_bytes(content)

    report = load(session, path)

    assert report.loaded == 3
    assert area(session, "WK999901").name == "Zuid"


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ((), "er moet precies een gemeente in staan"),
        (TOWN[1:], "regel 2, kolom ouder_code: GM9999 is niet wat boven WK999901 hoort"),
        ((*TOWN, "GM9998,Elders,gemeente,"), "er moet precies een gemeente in staan"),
        ((*TOWN, "BU99990102,Park,straat,WK999901"), "regel 5, kolom niveau: 'straat' is geen gemeente, wijk, dorp of"),
        ((*TOWN, "BU99990102,Park,,WK999901"), "regel 5, kolom niveau: '' is geen"),
        ((*TOWN, "BU999901,Park,buurt,WK999901"), "regel 5, kolom code: 'BU999901' is geen code van een buurt"),
        ((*TOWN, "99990102,Park,buurt,WK999901"), "regel 5, kolom code: '99990102' is geen code van een buurt"),
        ((*TOWN, "WK99990,Park,wijk,GM9999"), "regel 5, kolom code"),
        ((*TOWN, "BU99990102,,buurt,WK999901"), "regel 5, kolom naam: de naam ontbreekt"),
        ((*TOWN, "BU99990102,Park,buurt,"), "regel 5, kolom ouder_code: een gemeente heeft er geen"),
        ((*TOWN, "BU99990102,Park,buurt"), "regel 5, kolom ouder_code: een gemeente heeft er geen"),
        ((*TOWN, "BU99990102"), "regel 5, kolom niveau"),
        ((*TOWN, "BU99990102,Park,buurt,WK999909"), "regel 5, kolom ouder_code: WK999909 is niet wat boven"),
        ((*TOWN, "BU99990102,Park,buurt,GM9999"), "regel 5, kolom ouder_code: GM9999 is niet wat boven"),
        ((*TOWN, "BU99990102,Park,buurt,BU99990101"), "regel 5, kolom ouder_code"),
        ((*TOWN, TOWN[2]), "regel 5: BU99990101 staat ook op regel 4"),
        (("GM9999,Dorpstad,gemeente,GM0000",), "regel 2, kolom ouder_code"),
    ],
)
def test_a_wrong_line_is_named_with_its_file_line_and_column(
    session: Session, tmp_path: Path, lines: tuple[str, ...], sentence: str
) -> None:
    path, before = write(tmp_path, *lines), rows(session)

    with pytest.raises(InvalidInput) as refused:
        load(session, path)

    assert sentence in refused.value.message
    assert str(path) in refused.value.message
    assert rows(session) == before


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "het bestand is leeg"),
        (b" \n\n", "het bestand is leeg"),
        (b"\xef\xbb\xbf", "het bestand is leeg"),
        (b"code,naam,niveau\nGM9999,Dorpstad,gemeente\n", "regel 1: kolom ouder_code ontbreekt"),
        (b"id,name\n1,x\n", "regel 1: kolom code ontbreekt"),
        (b"\x00\x01\x02", "regel 1: kolom code ontbreekt"),
        ("\n".join((HEADER, *TOWN)).replace("Zuid", "Zu\u00efd").encode("latin-1"), "dit is geen UTF-8 (byte "),
        ("\n".join((HEADER, *TOWN)).encode("utf-16"), "dit is geen UTF-8 (byte 1)"),
        ("\n".join((HEADER, *TOWN)).encode() + b"\nBU99990102,Pa\x00rk,buurt,WK999901", "regel 5"),
        (("\n".join((HEADER, *TOWN)) + "\nBU99990102," + "x" * 200_000 + ",buurt,WK999901").encode(), "regel 5"),
    ],
)
def test_a_file_that_is_no_list_is_refused(session: Session, tmp_path: Path, content: bytes, sentence: str) -> None:
    path, before = tmp_path / "gebieden.csv", rows(session)
    path.write_bytes(content)

    with pytest.raises(InvalidInput) as refused:
        load(session, path)

    assert sentence in refused.value.message
    assert str(path) in refused.value.message
    assert rows(session) == before


@pytest.mark.parametrize("name", ["nergens.csv", "."])
def test_a_file_that_is_not_there_or_a_directory_is_refused(session: Session, tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="kan niet worden gelezen"):
        load(session, tmp_path / name)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "dit is geen GeoJSON"),
        (b"{", "dit is geen GeoJSON"),
        (b"[]", "dit is geen GeoJSON van CBS-gebieden"),
        (b"{}", "dit is geen GeoJSON van CBS-gebieden"),
        (b'{"features": [{}]}', "dit is geen GeoJSON van CBS-gebieden"),
        (b'{"features": [{"properties": {"naam": "x"}, "geometry": null}]}', "dit is geen GeoJSON van CBS-gebieden"),
        (b'{"features": 3}', "dit is geen GeoJSON van CBS-gebieden"),
        (b"\xff\xfe", "dit is geen GeoJSON"),
    ],
)
def test_shapes_that_cannot_be_read_are_refused_with_their_file(
    session: Session, tmp_path: Path, content: bytes, sentence: str
) -> None:
    shapes = tmp_path / "vormen.geojson"
    shapes.write_bytes(content)

    with pytest.raises(InvalidInput) as refused:
        load(session, write(tmp_path, *TOWN), shapes)

    assert sentence in refused.value.message
    assert str(shapes) in refused.value.message


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Nieuwstraat -Witvoet", "nieuwstraat-witvoet"),
        ("De Riet", "de-riet"),
        ("Café 't Hoekje", "cafe-t-hoekje"),
        ("Ünïcödé", "unicode"),
        ("  --  ", ""),
        ("日本", ""),
        ("x" * 300, "x" * 200),
        ("ß & co", "co"),
    ],
)
def test_a_name_becomes_a_part_of_an_address(name: str, slug: str) -> None:
    assert slugify(name) == slug
