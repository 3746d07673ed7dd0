# SPDX-License-Identifier: EUPL-1.2
"""What machines read: every public page once in each language, and nothing that is somebody's own."""

from __future__ import annotations

import contextvars
import datetime as dt
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from abs_platform import clock
from abs_platform.initiatives.states import InitiativeState as State
from tests.factories import Factory
from tests.page import Browser
from tests.people import People

NAMES = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9", "x": "http://www.w3.org/1999/xhtml"}


def base_of(app: Flask) -> str:
    """Where the site is."""
    return str(app.extensions["settings"].base_url)


def fetch(app: Flask, path: str) -> TestResponse:
    """One request, in a context of its own."""
    return contextvars.Context().run(app.test_client().get, path, base_url=base_of(app))


def addresses(app: Flask, path: str) -> list[str]:
    """What a file of the list of pages names."""
    answer = fetch(app, path)
    assert answer.content_type == "application/xml; charset=utf-8"
    return [str(found.text) for found in ET.fromstring(answer.text).iterfind(".//s:loc", NAMES)]  # noqa: S314 - ours


def test_the_list_of_pages_holds_every_public_page_in_both_languages_and_each_can_be_opened(
    app: Flask, factory: Factory
) -> None:
    shown, hidden = factory.initiative(title="Bomen & struiken"), factory.initiative(State.DRAFT)
    factory.session.commit()

    files = addresses(app, "/sitemap.xml")
    found = [one for file in files for one in addresses(app, file.removeprefix(base_of(app)))]

    assert len(files) == 3
    assert len(found) == len(set(found))
    paths = {one.removeprefix(base_of(app)) for one in found}
    assert {"/", "/en/", "/spelregels", "/en/spelregels", "/wijken/windmolenbroek"} <= paths
    assert f"/initiatieven/{shown.id}-bomen-struiken" in paths
    assert f"/en/initiatieven/{shown.id}-bomen-struiken" in paths
    assert not any(f"/{hidden.id}-" in path for path in paths)
    dutch = sorted(path for path in paths if path.split("/")[1] not in {"en", "ar"})
    for path in dutch:
        Browser(app).get(path)


def test_each_page_names_its_sisters_and_when_it_changed(app: Flask, factory: Factory) -> None:
    one = factory.initiative(title="Bomen")
    factory.session.commit()

    tree = ET.fromstring(fetch(app, "/sitemap-initiatieven-1.xml").text)  # noqa: S314 - ours

    entry = tree.find("s:url", NAMES)
    assert entry is not None
    sisters = {link.attrib["hreflang"]: link.attrib["href"] for link in entry.iterfind("x:link", NAMES)}
    path = f"/initiatieven/{one.id}-bomen"
    assert sisters["nl"] == f"{base_of(app)}{path}"
    assert sisters["en"] == f"{base_of(app)}/en{path}"
    assert dt.datetime.fromisoformat(str(entry.findtext("s:lastmod", namespaces=NAMES))) == one.published_at.replace(
        microsecond=0
    )


def test_a_file_that_is_not_there_is_not_found(browser_client: Browser) -> None:
    for name in ("initiatieven-0", "initiatieven-x", "gebruikers"):
        browser_client.get(f"/sitemap-{name}.xml", status=404)


def test_a_leak_can_be_told_to_an_address_that_is_valid_for_less_than_a_year(app: Flask) -> None:
    answer = fetch(app, "/.well-known/security.txt")

    fields = dict(line.split(": ", 1) for line in answer.text.splitlines())
    assert fields["Contact"] == f"mailto:{app.extensions['settings'].municipality.contact_email}"
    assert fields["Canonical"] == f"{base_of(app)}/.well-known/security.txt"
    assert fields["Preferred-Languages"].startswith("nl, en")
    assert fields["Policy"] == f"{base_of(app)}/contact"
    assert clock.now() < dt.datetime.fromisoformat(fields["Expires"]) < clock.now() + dt.timedelta(days=365)
    assert answer.content_type == "text/plain; charset=utf-8"


def test_a_site_that_is_not_the_real_one_is_in_no_search_engine(app: Flask) -> None:
    assert fetch(app, "/robots.txt").text == "User-agent: *\nDisallow: /\n"


def test_the_real_site_keeps_search_engines_from_what_is_somebodys_own(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.extensions, "settings", replace(app.extensions["settings"], environment="production"))

    lines = fetch(app, "/robots.txt").text.splitlines()

    assert {"Disallow: /beheer", "Disallow: /en/account", f"Sitemap: {base_of(app)}/sitemap.xml"} <= set(lines)


def test_pages_of_staff_and_residents_and_receipts_are_in_no_index(app: Flask, factory: Factory) -> None:
    initiative = factory.initiative()
    (code,) = factory.codes()
    gift = factory.give(code, initiative)
    factory.session.commit()
    assert gift is not None
    people = People(app, factory)

    def robots(browser: Browser, path: str) -> str | None:
        return browser.get(path).response.headers.get("X-Robots-Tag")

    assert robots(people.coordinator(), "/beheer") == "noindex, nofollow"
    assert robots(people.resident(), "/account") == "noindex, nofollow"
    assert robots(Browser(app), f"/giften/{gift.reference}") == "noindex, nofollow"
    assert robots(Browser(app), "/spelregels") is None
