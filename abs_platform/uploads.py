# SPDX-License-Identifier: EUPL-1.2
"""How much a form may send: little, and more where files are taken; what is too large is refused with a page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, current_app, request
from werkzeug.exceptions import RequestEntityTooLarge

View = TypeVar("View", bound=Callable[..., Any])

# More than a file may be (media.images): who sends one that is too large gets the form back, with what was filled in.
MAX_UPLOAD_BYTES = 40_000_000
MAX_READ_BYTES = 250_000_000
_ACCEPTS = "_abs_accepts_upload"
_CHUNK = 1 << 16


def accepts_upload(view: View) -> View:
    """Mark a route as one that takes files."""
    setattr(view, _ACCEPTS, MAX_UPLOAD_BYTES)
    return view


def accepts_uploads_of(most_bytes: int) -> Callable[[View], View]:
    """Mark a route as one that takes larger files; what is sent goes to disk, and never whole into memory."""

    def mark(view: View) -> View:
        setattr(view, _ACCEPTS, most_bytes)
        return view

    return mark


def _set_limit() -> None:
    """Set the limit before anything reads the form. Raises: RequestEntityTooLarge.

    What is too large is read to its end first: a server that answers and hangs up while a browser is still sending
    shows as a lost connection, and nobody would see why.
    """
    if most := getattr(current_app.view_functions.get(request.endpoint or ""), _ACCEPTS, 0):
        request.max_content_length = most
    length, limit = request.content_length or 0, request.max_content_length
    if limit is None or length <= limit:
        return
    left = min(length, MAX_READ_BYTES)
    while left > 0 and (chunk := request.environ["wsgi.input"].read(min(left, _CHUNK))):
        left -= len(chunk)
    raise RequestEntityTooLarge


def init_app(app: Flask) -> None:
    """Comes before what reads forms (csrf), and after the guard."""
    app.before_request(_set_limit)
