# SPDX-License-Identifier: EUPL-1.2
"""What makes the site an app on a phone: the manifest, and a worker that shows one page when there is no network.

The worker keeps that page and what it needs, and nothing else: no page of somebody ever stays on a device.
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path

from flask import Blueprint, Response, current_app, render_template, request, url_for
from flask_babel import gettext as _

from abs_platform.config import Settings
from abs_platform.languages import DEFAULT, current_language, is_right_to_left, prefix_of
from abs_platform.pages.theme_colours import ThemeColours, theme_colours
from abs_platform.security import public
from abs_platform.static_files import A_YEAR
from abs_platform.style_sheet import StyleSheet, style_sheet

bp = Blueprint("app", __name__)

# Of each icon: its file, its size and what it is for.
ICONS = (("icon-192.png", 192, "any"), ("icon-512.png", 512, "any"), ("icon-maskable-512.png", 512, "maskable"))


@bp.get("/manifest.webmanifest")
@public
def manifest() -> Response:
    """How the site looks as an app, in the language of the address."""
    town = _settings().municipality
    colours = site_colours()
    content = {
        "id": "/",
        "name": town.site_name,
        "short_name": town.site_name,
        "description": town.tagline_in(current_language()),
        "lang": current_language(),
        "dir": "rtl" if is_right_to_left() else "ltr",
        "start_url": url_for("pages.home"),
        "scope": "/",
        "display": "standalone",
        "background_color": colours.canvas,
        "theme_color": colours.brand,
        "icons": [
            {"src": theme_file(name), "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}
            for name, size, purpose in ICONS
        ],
        "shortcuts": [
            {"name": _("Voucher geven"), "url": url_for("vouchers.choose")},
            {"name": _("Initiatieven"), "url": url_for("initiatives.index")},
        ],
    }
    return Response(json.dumps(content, ensure_ascii=False), content_type="application/manifest+json")


@bp.get("/sw.js")
@public
def worker() -> Response:
    """The worker. Whenever a file that it keeps changes, so does its text, and browsers take the new one."""
    pages = {prefix_of(code): _offline_address(code) for code in (DEFAULT, *sorted(current_app.config["LANGUAGES"]))}
    files = [style_url(), theme_file("logo.svg"), url_for("static", filename="img/empty.svg")]
    kept = {"pages": json.dumps(pages), "files": json.dumps(files)}
    mark = hashlib.sha256(json.dumps(kept).encode()).hexdigest()[:8]
    script = render_template("pages/sw.js", **kept, version=mark)
    return Response(script, content_type="text/javascript; charset=utf-8", headers={"Cache-Control": "no-cache"})


@bp.get("/stijl.css")
@public
def style() -> Response:
    """The style sheet of every page; with its mark in the address browsers keep it for a year."""
    sheet = _style()
    answer = Response(sheet.css, content_type="text/css; charset=utf-8")
    if request.args.get("v") == sheet.version:
        answer.headers["Cache-Control"] = f"public, max-age={A_YEAR}, immutable"
    return answer


@bp.get("/offline")
@public
def offline() -> str:
    """What one sees without a network."""
    return render_template("pages/offline.html")


@bp.app_template_global()
def worker_url() -> str:
    """The address of the worker: one for the whole site, whatever the language of a page."""
    return current_app.url_map.bind("site").build("app.worker")


@bp.app_template_global()
def style_url() -> str:
    """The address of the style sheet: one in every language, and another when a rule in it changes."""
    return current_app.url_map.bind("site").build("app.style", {"v": _style().version})


@bp.app_template_global()
def theme_file(name: str) -> str:
    """The address of a file of this municipality's theme."""
    return url_for("static", filename=f"themes/{_settings().municipality.theme}/{name}")


@bp.app_template_global()
def site_colours() -> ThemeColours:
    """The colours of the theme that stand outside its style sheet."""
    return _colours(Path(current_app.static_folder or "") / "themes" / _settings().municipality.theme / "theme.css")


@lru_cache(maxsize=4)
def _colours(path: Path) -> ThemeColours:
    return theme_colours(path.read_text(encoding="utf-8"))


def _offline_address(code: str) -> str:
    return prefix_of(code) + current_app.url_map.bind("site").build("app.offline")


def _style() -> StyleSheet:
    folder = Path(current_app.static_folder or "")
    return style_sheet(folder, _settings().municipality.theme, is_changing=current_app.debug)


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings
