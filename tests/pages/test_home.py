# SPDX-License-Identifier: EUPL-1.2
"""The home page, what goes on near somebody, the frame of every page, and the site as an app."""

from __future__ import annotations

import contextvars
import datetime as dt
import json
import re
from io import BytesIO
from pathlib import Path

import pytest
import tinycss2
from flask import Flask
from PIL import Image
from sqlalchemy import Connection

from abs_platform.initiatives.states import InitiativeState
from abs_platform.pages.theme_colours import theme_colours
from abs_platform.pages.totals import MEMORY, TotalsMemory, platform_totals_of_late
from abs_platform.style_sheet import OWN, VENDORED, smaller
from tests.factories import Factory
from tests.page import Browser
from tests.test_page_cost import counting

HERE, BESIDE, ELSEWHERE, CITY = "BU01411900", "BU01411901", "BU01411100", "GM0141"


def titles(page_or_html: str) -> list[str]:
    """The titles of the cards, in order."""
    return re.findall(r'class="abs-card__link"[^>]*>([^<]+)<', page_or_html)


def test_a_postcode_leads_to_the_neighbourhood_of_most_of_its_addresses_and_leaves_the_address_bar(
    factory: Factory, browser_client: Browser
) -> None:
    factory.households(2, HERE)
    factory.households(1, BESIDE)
    gone = factory.households(3, BESIDE)
    for household in gone:
        household.ended_on = dt.date(2020, 1, 1)
    for area, title in ((CITY, "Voor iedereen"), (BESIDE, "Ernaast"), (ELSEWHERE, "Ver weg"), (HERE, "Om de hoek")):
        factory.initiative(area=area, title=title)
    factory.initiative(InitiativeState.REALISED, area=HERE, title="Al klaar", target_cents=5_000)
    factory.session.commit()

    page = browser_client.get("/dichtbij?postcode=7609 ab")

    assert page.path == "/dichtbij"
    assert page.one("h1").to_text().strip() == "Dichtbij: Groeneveld"
    assert titles(page.html) == ["Om de hoek", "Ernaast", "Voor iedereen"]
    assert "7609" not in page.one("main").to_text()


@pytest.mark.parametrize(
    ("asked", "status", "answer"),
    [
        ("postcode=1", 200, "Vul vier cijfers en twee letters in"),
        ("postcode=%F0%9F%8C%B7<b>", 200, "Vul vier cijfers en twee letters in"),
        ("postcode=9999ZZ", 200, "vinden we geen buurt"),
        ("buurt=bestaat-niet", 404, "Deze buurt kennen we niet"),
        ("", 200, "Of kies je wijk of dorp"),
    ],
)
def test_whoever_is_not_found_by_postcode_chooses_from_the_list(
    browser_client: Browser, asked: str, status: int, answer: str
) -> None:
    page = browser_client.get(f"/dichtbij?{asked}", status=status)

    assert answer in page.text
    assert len(page.all("main summary")) == 12
    assert len(page.all('main summary ~ ul a[href^="/dichtbij?buurt="]')) == 71


def test_a_browser_that_remembers_a_neighbourhood_gets_three_cards_and_no_page(
    app: Flask, factory: Factory, connection: Connection
) -> None:
    for number in range(4):
        factory.initiative(title=f"Plan {number}")
    factory.session.commit()

    client = app.test_client()
    answer = contextvars.Context().run(client.get, "/dichtbij/kaarten?buurt=groeneveld")

    assert len(titles(answer.text)) == 3
    assert "<html" not in answer.text
    assert "Set-Cookie" not in answer.headers
    assert contextvars.Context().run(client.get, "/dichtbij/kaarten?buurt=weg").status_code == 404


def test_home_tells_the_dates_of_the_round_or_of_the_next(factory: Factory, browser_client: Browser) -> None:
    assert "Er loopt nu geen voucherronde" in browser_client.get("/").text
    factory.round(opens=dt.timedelta(days=40), closes=dt.timedelta(days=70), is_released=False)
    factory.session.commit()
    assert "Er loopt nu geen voucherronde" in browser_client.get("/").text, "not released: it may still change"

    factory.round(opens=dt.timedelta(days=80), closes=dt.timedelta(days=99), name="Lente")
    factory.session.commit()
    assert "Lente loopt van" in browser_client.get("/").text
    factory.issue(factory.round(name="Nu"))
    factory.session.commit()
    page = browser_client.get("/")
    assert "Nu loopt van" in page.text
    assert "Lente" not in page.text


def test_the_totals_are_those_of_all_gifts_and_are_remembered_for_some_seconds(
    app: Flask, factory: Factory, browser_client: Browser, connection: Connection
) -> None:
    initiative = factory.initiative()
    first, second = factory.codes(2)
    factory.give(first, initiative)
    factory.session.commit()
    assert "€ 7,50" in browser_client.get("/").one('[data-figure="raised"]').to_text().replace("\xa0", " ")

    app.extensions[MEMORY] = TotalsMemory(seconds_kept=60)
    with counting(connection) as statements:
        platform_totals_of_late(factory.session)
        factory.give(second, initiative)
        asked = len(statements)
        again = platform_totals_of_late(factory.session)
    assert (again.raised_cents, again.gifts) == (750, 1)
    assert len(statements) == asked

    app.extensions[MEMORY] = TotalsMemory(seconds_kept=0)
    told = contextvars.Context().run(app.test_client().get, "/stand").get_json()
    assert {name: text.replace("\xa0", " ") for name, text in told.items()} == {
        "raised": "€ 15",
        "gifts": "2",
        "funded": "0",
        "collecting": "1",
    }


def test_a_page_names_its_address_in_each_language_without_its_questions(app: Flask, browser_client: Browser) -> None:
    page = browser_client.get("/dichtbij?buurt=groeneveld")

    base = page.one('link[rel="canonical"]').attrs["href"].removesuffix("/dichtbij")
    links = {link.attrs["hreflang"]: link.attrs["href"] for link in page.all('link[rel="alternate"][hreflang]')}
    assert base.startswith("http")
    others = {code: f"{base}/{code}/dichtbij" for code in app.config["LANGUAGES"]}
    assert links == {"x-default": f"{base}/dichtbij", "nl": f"{base}/dichtbij"} | others
    assert page.one('.abs-languages a[hreflang="en"]').attrs["href"] == "/en/dichtbij?buurt=groeneveld"
    assert page.one('meta[property="og:title"]').attrs["content"] == "Dichtbij: Groeneveld"
    assert page.one('meta[property="og:image"]').attrs["content"].startswith(f"{base}/static/")


def test_a_page_that_is_not_there_helps_to_find_another(browser_client: Browser) -> None:
    page = browser_client.get("/bestaat-niet", status=404)

    assert page.one("main form").attrs["action"] == "/initiatieven"
    assert page.field("zoek") == ""
    assert {"/voucher", "/initiatieven", "/wijken"} <= {link.attrs["href"] for link in page.all("main a")}
    assert not page.all('link[rel="canonical"]')


def test_the_site_can_be_installed_in_each_language(app: Flask) -> None:
    client = app.test_client()

    for language, start in (("nl", "/"), ("en", "/en/")):
        answer = contextvars.Context().run(client.get, f"{start}manifest.webmanifest")
        manifest = json.loads(answer.text)
        assert answer.content_type == "application/manifest+json"
        assert (manifest["lang"], manifest["start_url"], manifest["scope"]) == (language, start, "/")
        for icon in manifest["icons"]:
            with contextvars.Context().run(client.get, icon["src"]) as file:
                width, height = Image.open(BytesIO(file.get_data())).size
            assert icon["sizes"] == f"{width}x{height}"
        assert {icon["purpose"] for icon in manifest["icons"]} == {"any", "maskable"}


def test_the_worker_keeps_the_page_without_a_network_and_nothing_of_anybody(app: Flask) -> None:
    client = app.test_client()
    answer = contextvars.Context().run(client.get, "/sw.js")
    kept = {
        name: json.loads(value)
        for name, value in re.findall(r"^const (PAGES|FILES) = (.+);$", answer.text, re.MULTILINE)
    }

    others = {f"/{code}": f"/{code}/offline" for code in app.config["LANGUAGES"]}
    assert kept["PAGES"] == {"": "/offline"} | others
    assert 'credentials: "omit"' in answer.text
    for address in (*kept["PAGES"].values(), *kept["FILES"]):
        with contextvars.Context().run(client.get, address) as page:
            assert page.status_code == 200
    assert all(address.startswith(("/static/", "/stijl.css?v=")) for address in kept["FILES"])
    assert not re.search(r"\.put\(|cache\.add\(", answer.text), "nothing is kept besides"


def test_every_page_has_one_style_sheet_that_is_kept_and_says_all_that_its_parts_say(
    app: Flask, browser_client: Browser
) -> None:
    addresses = [link.attrs["href"] for link in browser_client.get("/offline").all('link[rel="stylesheet"]')]
    client = app.test_client()

    (address,) = addresses
    answer = contextvars.Context().run(client.get, address)
    old = contextvars.Context().run(client.get, "/stijl.css?v=old")

    assert "immutable" in answer.headers["Cache-Control"]
    assert "immutable" not in old.headers.get("Cache-Control", "")
    folder = Path(app.static_folder or "")
    for name in (*VENDORED, OWN, "themes/almelo/theme.css"):
        css = (folder / name).read_text()
        rules = [str(rule.serialize()) for rule in tinycss2.parse_stylesheet(css, True, True)]
        small = [str(rule.serialize()) for rule in tinycss2.parse_stylesheet(smaller(css), True, True)]
        assert [re.sub(r"[\s;]", "", rule) for rule in small] == [re.sub(r"[\s;]", "", rule) for rule in rules]
        assert smaller(css) in answer.text
    assert answer.text.count("EUPL-1.2") == 2
    assert smaller('a { content: "a;  b" ; } /* no */ b :hover,\n c{ d:  e }') == 'a{content:"a;  b"}b :hover,c{d:e}'


def test_the_colours_outside_the_style_sheet_are_those_of_the_theme(app: Flask, browser_client: Browser) -> None:
    css = (Path(app.static_folder or "") / "themes" / "almelo" / "theme.css").read_text()
    colours = theme_colours(css)

    shown = [meta.attrs["content"] for meta in browser_client.get("/").all('meta[name="theme-color"]')]
    assert shown == [colours.brand, colours.canvas_dark]
    with pytest.raises(ValueError, match="must set --abs-canvas"):
        theme_colours(":root { --abs-footer: #000000; }")
