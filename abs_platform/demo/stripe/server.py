# SPDX-License-Identifier: EUPL-1.2
"""The stand-in as a web server of its own: the API, the page of the demo bank, and what goes wrong on demand."""

from __future__ import annotations

from flask import Flask, Response
from flask_babel import Babel

from abs_platform.demo.stripe import api, pages
from abs_platform.demo.stripe.account import Account
from abs_platform.languages import DEFAULT

TIMEOUT_SECONDS = 15.0
_HEADERS = {
    # The page to pay leads back to the site after its form: no form-action here.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def make_app(account: Account, *, timeout_seconds: float = TIMEOUT_SECONDS) -> Flask:
    """The web server of an account. A call that must time out waits so long: longer than who asks has patience for."""
    app = Flask("abs_platform.demo.stripe")
    app.config["TIMEOUT_SECONDS"] = timeout_seconds
    app.extensions |= {"account": account, "keys": api.Keys()}
    Babel(app, default_locale=DEFAULT)  # amounts are written as on the site
    app.register_blueprint(api.bp)
    app.register_blueprint(pages.bp)
    app.after_request(_add_headers)
    return app


def _add_headers(response: Response) -> Response:
    response.headers.extend(_HEADERS)
    return response
