# SPDX-License-Identifier: EUPL-1.2
"""What is sent: small forms stay small, a picture of 15 MB gets in, and what is too large gets an answer."""

from __future__ import annotations

import contextvars
import http.client
import io
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from flask import Flask, render_template_string, request
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from abs_platform import create_app, uploads
from abs_platform.errors import InvalidInput
from abs_platform.media.images import MAX_FILE_BYTES
from abs_platform.media.keeping import kept_picture, read_upload
from abs_platform.security import public
from abs_platform.uploads import MAX_UPLOAD_BYTES, accepts_upload
from tests.conftest import make_settings
from tests.media.pictures import photo

FORM = '<form method="post"><input type="hidden" name="csrf_token" value="{{ csrf_token() }}"></form>'


@pytest.fixture
def taking(tmp_path: Path) -> Flask:
    """An app with a form that takes a picture and one that does not; it needs no database."""
    app = create_app(make_settings("postgresql+psycopg://nobody@127.0.0.1:1/nothing", tmp_path))

    def make_view() -> Callable[[], str]:
        def take() -> str:
            if request.method == "GET":
                return render_template_string(FORM)
            try:
                with kept_picture(app.extensions["file_store"], read_upload(request.files["picture"].stream)) as kept:
                    return f"{request.form['title']}: {kept.width}"
            except InvalidInput as error:
                return f"{request.form['title']}: {error.message}"

        return public(take)

    app.add_url_rule("/met", "met", accepts_upload(make_view()), methods=["GET", "POST"])
    app.add_url_rule("/zonder", "zonder", make_view(), methods=["GET", "POST"])
    return app


def send(app: Flask, path: str, data: bytes) -> TestResponse:
    client = app.test_client()

    def work() -> TestResponse:
        token = client.get(path).get_data(as_text=True).split('value="')[1].split('"')[0]
        form = {"csrf_token": token, "title": "Boom", "picture": FileStorage(io.BytesIO(data), "Foto van Anna.exe")}
        boundary, body = encode_multipart(form)
        return client.post(path, data=body, content_type=f"multipart/form-data; boundary={boundary}")

    return contextvars.Context().run(work)


def test_a_route_that_takes_files_takes_a_large_picture(taking: Flask) -> None:
    whole = photo(300, 200)
    large = whole + b"\x00" * (MAX_FILE_BYTES - len(whole))

    assert send(taking, "/met", large).get_data(as_text=True) == "Boom: 300"


@pytest.mark.parametrize("size", [MAX_FILE_BYTES + 1, 30_000_000])
def test_a_file_that_is_too_large_is_said_beside_what_was_filled_in(taking: Flask, size: int) -> None:
    answer = send(taking, "/met", photo(300, 200) + b"\x00" * size)

    assert answer.get_data(as_text=True) == "Boom: Deze foto is te groot. Kies een foto van hoogstens 15 MB."


@pytest.mark.parametrize(
    ("path", "size"), [("/met", MAX_UPLOAD_BYTES + 1), ("/zonder", 1_000_001), ("/zonder", 30_000_000)]
)
def test_what_no_form_takes_gets_a_page_with_a_sentence(taking: Flask, path: str, size: int) -> None:
    answer = send(taking, path, b"\x00" * size)

    assert answer.status_code == 413
    assert "Wat je stuurt is te groot." in answer.get_data(as_text=True)


def test_a_route_that_takes_no_files_takes_a_small_one_still(taking: Flask) -> None:
    assert send(taking, "/zonder", photo(300, 200)).get_data(as_text=True) == "Boom: 300"


def test_the_fields_of_a_form_with_a_file_stay_small(taking: Flask) -> None:
    client = taking.test_client()

    answer = contextvars.Context().run(
        lambda: client.post("/met", data={"title": "x" * 300_000, "picture": (io.BytesIO(b"x"), "x")})
    )

    assert answer.status_code == 413


class Quiet(WSGIRequestHandler):
    """A server that hangs up after its answer, as gunicorn does, and says nothing of it."""

    def log_message(self, *_anything: object) -> None:
        pass


@pytest.fixture
def served(taking: Flask) -> Iterator[int]:
    """The port of a real server with the app on it."""
    server = make_server("127.0.0.1", 0, taking, handler_class=Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def send_whole(port: int, path: str, size: int) -> tuple[int, str]:
    """Send a body and only then look at the answer, as a browser does."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(
            "POST", path, body=b"\x00" * size, headers={"Content-Type": "multipart/form-data; boundary=x"}
        )
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("path", "size"), [("/zonder", 30_000_000), ("/met", 80_000_000), ("/bestaat-niet", 30_000_000)]
)
def test_the_connection_of_who_sends_too_much_is_not_dropped(served: int, path: str, size: int) -> None:
    status, page = send_whole(served, path, size)

    assert status == 413
    assert "Wat je stuurt is te groot." in page


def test_without_reading_it_to_the_end_the_connection_would_be_dropped(
    served: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MAX_READ_BYTES", 0)

    with pytest.raises(OSError, match=r"Broken pipe|reset by peer"):
        send_whole(served, "/zonder", 30_000_000)
