# SPDX-License-Identifier: EUPL-1.2
"""The picture of an initiative without a photo: always the same, varied, small, and one that every browser can draw."""

from __future__ import annotations

import contextvars
import re
import xml.etree.ElementTree as ET  # our own drawings

import pytest
from flask import Flask

from abs_platform.initiatives.illustrations import SEEDS, draw, palette_of, seed_of
from abs_platform.initiatives.states import Theme
from tests.factories import Factory
from tests.page import Browser

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("theme", Theme)
def test_every_picture_of_a_theme_is_small_and_whole(theme: Theme) -> None:
    for seed in range(SEEDS):
        text = draw(theme, seed)
        picture = ET.fromstring(text)  # noqa: S314
        pieces = {piece.attrib["id"] for piece in picture.iter(f"{SVG}g") if "id" in piece.attrib}
        used = {piece.attrib["href"].removeprefix("#") for piece in picture.iter(f"{SVG}use")}
        assert used == pieces, "what is used is there, and nothing else"
        assert len(text) < 3_000
        assert "$" not in text
        assert palette_of(theme, seed).sky in text


def test_a_title_always_gives_the_same_picture_and_others_give_many() -> None:
    titles = [f"Plan {number} voor de straat" for number in range(60)]

    assert draw(Theme.PLAY, seed_of("Zomerfeest")) == draw(Theme.PLAY, seed_of("Zomerfeest"))
    assert len({draw(Theme.PLAY, seed_of(title)) for title in titles}) > 50
    assert len({re.sub(r"#[0-9a-f]{6}", "", draw(Theme.PLAY, seed)) for seed in range(3)}) == 3, "three scenes"


def test_a_card_shows_its_picture_from_one_address_that_is_kept_for_ever(
    app: Flask, factory: Factory, browser_client: Browser
) -> None:
    initiative = factory.initiative(theme=Theme.SPORT, title="Schommels & co")
    factory.session.commit()

    (address,) = {image.attrs["src"] for image in browser_client.get("/").all("img.abs-picture")}

    assert address.startswith(f"/beeld/sport-{seed_of(initiative.title)}.svg?v=")
    client = app.test_client()
    for path in (address, f"/en{address}"):
        answer = contextvars.Context().run(client.get, path)
        assert answer.text == draw(Theme.SPORT, seed_of(initiative.title))
        assert answer.content_type == "image/svg+xml; charset=utf-8"
        assert "immutable" in answer.headers["Cache-Control"]
        assert not {"Set-Cookie", "Vary"} & set(answer.headers)
    for wrong in ("/beeld/sport-512.svg", "/beeld/sporten-1.svg", "/beeld/sport--1.svg"):
        assert contextvars.Context().run(client.get, wrong).status_code == 404
