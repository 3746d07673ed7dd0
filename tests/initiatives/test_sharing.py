# SPDX-License-Identifier: EUPL-1.2
"""What goes along when somebody shares an initiative: its picture, its QR code, and what machines read of its page."""

from __future__ import annotations

import contextvars
import io
import json
from urllib.parse import urlsplit

import pytest
from flask import Flask
from PIL import Image
from werkzeug.test import TestResponse

from abs_platform.flyers.service import qr_svg
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.media.keeping import kept_picture
from abs_platform.media.service import add_picture
from abs_platform.media.states import Purpose
from tests.factories import TEST_ACTOR, Factory
from tests.media.pictures import photo
from tests.page import Browser

ATTACK = '"></script><script>alert(1)</script>{{7*7}}'


def fetch(browser: Browser, path: str, headers: dict[str, str] | None = None) -> TestResponse:
    """A file as it is served, in a context of its own."""
    return contextvars.Context().run(browser.client.get, path, headers=headers)


def picture(browser: Browser, initiative: Initiative) -> Image.Image:
    response = fetch(browser, f"/initiatieven/{initiative.id}/deelplaatje.png")
    assert response.status_code == 200
    assert response.content_type == "image/png"
    return Image.open(io.BytesIO(response.data)).convert("RGB")


def dark_in(image: Image.Image, box: tuple[int, int, int, int]) -> int:
    """How many dark points are in a part of the picture: letters."""
    return sum(image.crop(box).convert("L").histogram()[:90])


@pytest.mark.parametrize(
    "title",
    [
        "Bij",
        "Bomen " * 20,
        "Hottentottententententoonstelling" * 3 + "plein",
        "Ødegård & Łódź: ça va? 🎉",
        "مرحبا",
        ATTACK,
    ],
)
def test_the_picture_is_readable_whatever_the_title(factory: Factory, browser_client: Browser, title: str) -> None:
    initiative = factory.initiative(title=title.strip()[:120])

    made = picture(browser_client, initiative)

    assert made.size == (1200, 630)
    assert dark_in(made, (50, 140, 690, 430)) > 500  # the title, or the place where no letter of it can be printed
    assert dark_in(made, (50, 0, 690, 40)) == dark_in(made, (50, 600, 690, 630)) == 0  # and nothing runs off


@pytest.mark.parametrize("state", [State.FUNDED, State.REALISED, State.EXPIRED, State.WITHDRAWN])
def test_every_public_state_has_its_picture(factory: Factory, browser_client: Browser, state: State) -> None:
    assert picture(browser_client, factory.initiative(state)).size == (1200, 630)


def test_a_photo_stands_in_the_picture(app: Flask, factory: Factory, browser_client: Browser) -> None:
    initiative = factory.initiative()
    before = picture(browser_client, initiative)
    with app.app_context(), kept_picture(app.extensions["file_store"], photo(1200, 900)) as kept:
        add_picture(
            factory.session,
            kept,
            initiative_id=initiative.id,
            purpose=Purpose.INITIATIVE,
            alt_text="Een plein",
            uploaded_by_id=factory.account().id,
            actor=TEST_ACTOR,
            now=factory.now,
        )
        factory.session.commit()

    after = picture(browser_client, initiative)

    right, left = (850, 0, 1200, 630), (0, 0, 700, 630)
    assert before.crop(right).tobytes() != after.crop(right).tobytes()
    assert before.crop(left).tobytes() == after.crop(left).tobytes()


def test_who_has_the_picture_gets_it_again_only_when_it_changed(factory: Factory, browser_client: Browser) -> None:
    initiative = factory.initiative(title="Bomen op het plein")
    (code,) = factory.codes()
    factory.session.commit()
    page = f"/initiatieven/{initiative.id}-bomen-op-het-plein"
    address = urlsplit(browser_client.get(page).one('meta[property="og:image"]').attrs["content"])
    asked = f"{address.path}?{address.query}"
    first = fetch(browser_client, asked)
    kept = {"If-None-Match": first.headers["ETag"]}

    again = fetch(browser_client, asked, headers=kept)
    factory.give(code, initiative)
    factory.session.commit()
    changed = fetch(browser_client, asked, headers=kept)

    assert again.status_code == 304
    assert not again.data
    assert "max-age=86400" in first.headers["Cache-Control"]
    assert changed.status_code == 200
    assert changed.data != first.data
    # The address in hand is of the older picture: it may not be kept for a day.
    assert "max-age=300" in changed.headers["Cache-Control"]


def test_a_picture_is_the_same_for_all_and_sets_no_cookie(factory: Factory, app: Flask) -> None:
    initiative = factory.initiative()
    anna = Browser(app).sign_in(factory.session_of(factory.account()))
    factory.session.commit()

    for name in ("deelplaatje.png", "qr.svg"):
        response = fetch(anna, f"/initiatieven/{initiative.id}/{name}")

        assert response.headers["Cache-Control"].startswith("public")
        assert "Set-Cookie" not in response.headers


def test_the_qr_code_leads_to_the_page(factory: Factory, browser_client: Browser) -> None:
    initiative = factory.initiative()

    response = fetch(browser_client, f"/initiatieven/{initiative.id}/qr.svg")

    assert response.content_type.startswith("image/svg+xml")
    assert response.text == qr_svg(f"http://localhost/initiatieven/{initiative.id}")


@pytest.mark.parametrize("name", ["deelplaatje.png", "qr.svg"])
@pytest.mark.parametrize("state", [State.DRAFT, State.SUBMITTED, State.REJECTED])
def test_what_is_not_published_has_no_picture(
    factory: Factory, browser_client: Browser, name: str, state: State
) -> None:
    initiative = factory.initiative(state)

    assert fetch(browser_client, f"/initiatieven/{initiative.id}/{name}").status_code == 404


def test_machines_read_what_it_is_and_how_to_give(factory: Factory, browser_client: Browser) -> None:
    open_one = factory.initiative(title=ATTACK)
    done = factory.initiative(State.REALISED, title="Klaar")

    def data_of(initiative: Initiative) -> list[dict[str, object]]:
        page = browser_client.get(f"/initiatieven/{initiative.id}")
        assert "<script>alert" not in page.html
        graph: list[dict[str, object]] = json.loads(page.one('script[type="application/ld+json"]').to_text())["@graph"]
        return graph

    project, crumbs = data_of(open_one)
    finished, _crumbs = data_of(done)

    assert project["@type"] == "Project"
    assert project["name"] == ATTACK
    assert project["potentialAction"] == {"@type": "DonateAction", "target": f"{project['url']}#geven"}
    assert str(project["url"]).startswith("http://localhost/initiatieven/")
    assert [step["name"] for step in crumbs["itemListElement"]] == ["Home", "Initiatieven", ATTACK]  # type: ignore[attr-defined]
    assert "potentialAction" not in finished


def test_the_page_can_be_shared_without_a_script(factory: Factory, browser_client: Browser) -> None:
    initiative = factory.initiative(title="Bomen & bankjes")

    page = browser_client.get(f"/initiatieven/{initiative.id}-bomen-bankjes")

    links = [link.attrs["href"] for link in page.all(".ini-share__ways a")]
    assert [link.split("?")[0] for link in links] == ["https://wa.me/", "sms:", "mailto:"]
    assert all(f"http%3A//localhost/initiatieven/{initiative.id}" in link for link in links)
    assert all("Bomen%20%26%20bankjes" in link for link in links)
    assert all("hidden" in button.parent.attrs for button in page.all(".ini-share__ways button"))
    assert page.one('.ini-share img[loading="lazy"]').attrs["src"] == f"/initiatieven/{initiative.id}/qr.svg"
