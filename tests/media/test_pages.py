# SPDX-License-Identifier: EUPL-1.2
"""Pictures on pages: whoever has the address gets them, safely and for good; receipts have no address."""

from __future__ import annotations

import contextvars
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, render_template_string, url_for
from justhtml import JustHTML
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from abs_platform.errors import InvalidInput
from abs_platform.media.keeping import kept_picture, kept_receipt
from abs_platform.media.models import Picture
from abs_platform.media.queries import PictureView, pictures_of
from abs_platform.media.service import add_picture, remove_picture
from abs_platform.media.states import Purpose
from tests.factories import TEST_ACTOR, Factory
from tests.media.pictures import opened, photo

MACROS = '{% from "components/media.html" import picture, picture_field, file_field %}'
PDF = b"%PDF-1.7\n%%EOF\n"


def add(app: Flask, factory: Factory, data: bytes, purpose: Purpose = Purpose.INITIATIVE, **options: Any) -> Picture:
    keep = kept_receipt if purpose == Purpose.RECEIPT else kept_picture
    with keep(app.extensions["file_store"], data) as kept:
        made = add_picture(
            factory.session, kept, purpose=purpose, initiative_id=factory.initiative().id, uploaded_by_id=None,
            actor=TEST_ACTOR, now=factory.now, **options,
        )  # fmt: skip
    factory.session.commit()
    return made


def fetch(app: Flask, path: str, method: str = "GET", **options: Any) -> TestResponse:
    return contextvars.Context().run(app.test_client().open, path, method=method, **options)


# -- the addresses ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("extension", "kind"), [("webp", "image/webp"), ("jpg", "image/jpeg")])
def test_anyone_may_fetch_a_picture_and_keep_it(app: Flask, factory: Factory, extension: str, kind: str) -> None:
    made = add(app, factory, photo(600, 400))

    answer = fetch(app, f"/media/{made.key}/480.{extension}")

    assert answer.status_code == 200
    assert opened(answer.data).size == (480, 320)
    assert answer.headers["Content-Type"] == kind
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox; frame-ancestors 'none'"
    assert "Set-Cookie" not in answer.headers
    assert "Cookie" not in answer.headers.get("Vary", "")


def test_the_address_on_a_page_is_the_address_of_the_route(app: Flask, session: Session, factory: Factory) -> None:
    made = add(app, factory, photo(600, 400))
    (view,) = pictures_of(session, made.initiative_id)

    with app.test_request_context():
        assert view.src == url_for("media.picture", key=made.key, width=600, extension="jpg")
    for address in [view.src, view.largest, *(part.split()[0] for part in view.srcset_webp.split(", "))]:
        assert fetch(app, address).status_code == 200


def test_no_cookie_of_somebody_who_is_signed_in_goes_with_a_picture(
    app: Flask, session: Session, factory: Factory
) -> None:
    """What any cache may keep must not carry the cookie of one visitor to another."""
    made = add(app, factory, photo(300, 200))
    token = factory.session_of(factory.account())
    session.commit()
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie.permanent = True
        cookie["_user_id"] = token

    answer = contextvars.Context().run(client.get, f"/media/{made.key}/300.webp")
    page = contextvars.Context().run(client.get, "/")

    assert answer.headers["Cache-Control"].startswith("public")
    assert "Set-Cookie" not in answer.headers
    assert "Cookie" not in answer.headers.get("Vary", "")
    assert "Set-Cookie" in page.headers  # its life is made longer there


@pytest.mark.parametrize("purpose", [Purpose.UPDATE, Purpose.ACCOUNTABILITY])
def test_pictures_of_updates_and_of_how_it_went_are_public_too(app: Flask, factory: Factory, purpose: Purpose) -> None:
    made = add(app, factory, photo(300, 200), purpose, update_id=1 if purpose == Purpose.UPDATE else None)

    assert fetch(app, f"/media/{made.key}/300.webp").status_code == 200


@pytest.mark.parametrize("data", [PDF, photo(300, 200, seed=3)])
def test_a_receipt_is_at_no_public_address(app: Flask, factory: Factory, data: bytes) -> None:
    made = add(app, factory, data, Purpose.RECEIPT)

    for name in ("300.jpg", "300.webp", "file.jpg", "file.pdf", "0.jpg"):
        assert fetch(app, f"/media/{made.key}/{name}").status_code == 404


def test_a_picture_that_was_removed_is_not_found_at_once(app: Flask, factory: Factory) -> None:
    made = add(app, factory, photo(300, 200))
    address = f"/media/{made.key}/300.webp"
    assert fetch(app, address).status_code == 200

    remove_picture(factory.session, made.id, initiative_id=made.initiative_id, actor=TEST_ACTOR, now=factory.now)
    factory.session.commit()

    answer = fetch(app, address)
    assert answer.status_code == 404
    assert "immutable" not in answer.headers.get("Cache-Control", "")


@pytest.mark.parametrize(
    "path",
    [
        "/media/KEY/480.webp",  # it is smaller than that
        "/media/KEY/301.webp",
        "/media/KEY/300.png",
        "/media/KEY/300.webp/",
        "/media/KEY/-300.webp",
        "/media/KEY/300",
        "/media/KEY/",
        "/media/KEY/../KEY/300.webp",
        "/media/" + "0" * 32 + "/300.webp",
        "/media/" + "A" * 32 + "/300.webp",
        "/media/..%2f..%2fprivate%2f0000000000000000/300.webp",
        "/media/" + "%2e%2e%2f" * 10 + "aa/300.webp",
        "/media/" + "é" * 32 + "/300.webp",
    ],
)
def test_another_address_leads_nowhere(app: Flask, factory: Factory, path: str) -> None:
    made = add(app, factory, photo(300, 200))

    answer = fetch(app, path.replace("KEY", made.key))

    assert answer.status_code in {404, 308} if ".." in path else 404
    assert answer.status_code != 200


def test_a_row_whose_file_is_gone_is_not_found_and_no_bug(app: Flask, factory: Factory) -> None:
    made = add(app, factory, photo(300, 200))
    app.extensions["file_store"].delete(f"pictures/{made.key}/300.webp")

    assert fetch(app, f"/media/{made.key}/300.webp").status_code == 404


# -- on the page ------------------------------------------------------------------------------------------------------


VIEW = PictureView(1, "ab" * 16, 'Een "boom" & meer', False, 1600, 1200, (480, 960, 1600), None)


@pytest.fixture
def render(app: Flask) -> Iterator[Any]:
    with app.test_request_context():
        yield lambda source, **values: JustHTML(
            render_template_string(MACROS + source, **values), fragment=True, sanitize=False, collect_errors=True
        )


def test_a_picture_on_a_page_lets_the_browser_choose_and_keeps_its_place(render: Any) -> None:
    page = render('{{ picture(view, sizes="50vw") }}', view=VIEW)

    (image,) = page.query("picture > img")
    (source,) = page.query("picture > source")
    assert [str(error) for error in page.errors] == []
    assert image.attrs["alt"] == 'Een "boom" & meer'
    assert (image.attrs["width"], image.attrs["height"], image.attrs["loading"]) == ("1600", "1200", "lazy")
    assert image.attrs["src"] == VIEW.src
    assert image.attrs["srcset"] == VIEW.srcset_jpeg
    assert (source.attrs["type"], source.attrs["srcset"]) == ("image/webp", VIEW.srcset_webp)
    assert source.attrs["sizes"] == image.attrs["sizes"] == "50vw"


def test_decoration_has_an_empty_alt_text_and_the_first_picture_is_not_lazy(render: Any) -> None:
    view = PictureView(1, "ab" * 16, "", True, 300, 200, (300,), None)

    (image,) = render("{{ picture(view, lazy=false) }}", view=view).query("img")

    assert image.attrs["alt"] == ""
    assert "loading" not in image.attrs


def test_the_field_of_a_picture_says_what_is_fine_and_ties_its_errors_to_its_fields(render: Any) -> None:
    errors = {"picture": "Deze foto is te groot.", "alt_text": "Beschrijf de foto."}

    page = render("{{ picture_field(errors=errors, values=values) }}", errors=errors, values={"alt_text": "Een <b>"})

    file, alt, decorative = (page.query(f'[name="{name}"]')[0] for name in ("picture", "alt_text", "is_decorative"))
    assert file.attrs["type"] == "file"
    assert "image/heic" in file.attrs["accept"]
    for field in (file, alt):
        assert field.attrs["id"] == field.attrs["name"]
        assert field.attrs["aria-invalid"] == "true"
        described = [page.query(f"#{name}")[0].to_text() for name in field.attrs["aria-describedby"].split()]
        assert errors[field.attrs["name"]] in described
    assert alt.attrs["value"] == "Een <b>"
    assert decorative.attrs["type"] == "checkbox"
    assert {label.attrs["for"] for label in page.query("label")} == {"picture", "alt_text", "is_decorative"}


def test_two_pictures_on_one_page_have_fields_of_their_own(render: Any) -> None:
    page = render(
        '{{ picture_field() }}{{ picture_field(name="other", alt_name="other_alt", decorative_name="other_plain") }}'
    )

    ids = [element.attrs["id"] for element in page.query("[id]")]
    assert len(ids) == len(set(ids))


@pytest.mark.usefixtures("render")
def test_the_errors_of_a_picture_have_the_names_of_its_fields(app: Flask) -> None:
    with pytest.raises(InvalidInput) as refused, kept_picture(app.extensions["file_store"], b"geen foto"):
        pass

    assert set(refused.value.fields) == {"picture"}
