# SPDX-License-Identifier: EUPL-1.2
"""The pictures that are drawn for initiatives without a photo; one address in every language, kept for ever."""

from __future__ import annotations

from functools import cache
from http import HTTPStatus

from flask import Blueprint, Response, abort, current_app

from abs_platform.initiatives.illustrations import SEEDS, draw, seed_of, version
from abs_platform.initiatives.states import Theme
from abs_platform.security import public

bp = Blueprint("illustrations", __name__)

HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


@bp.get("/beeld/<any(" + ", ".join(theme.value for theme in Theme) + "):theme>-<int:seed>.svg")
@public
def show(theme: str, seed: int) -> Response:
    """One picture."""
    if seed >= SEEDS:
        abort(HTTPStatus.NOT_FOUND)
    return Response(draw(Theme(theme), seed), content_type="image/svg+xml; charset=utf-8", headers=HEADERS)


@bp.app_template_global("illustration_url")
def illustration_url(theme: str, title: str) -> str:
    """Where the picture of an initiative without a photo is; another address once the drawings change."""
    return _address(Theme(theme).value, seed_of(title))


@cache
def _address(theme: str, seed: int) -> str:
    values = {"theme": theme, "seed": seed, "v": version()}
    return current_app.url_map.bind("site").build("illustrations.show", values)
