# SPDX-License-Identifier: EUPL-1.2
"""A browser without JavaScript for tests: every page it gets is checked, whatever the test is about."""

from __future__ import annotations

import contextvars
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from justhtml import JustHTML
from werkzeug.test import TestResponse

from abs_platform import clock
from abs_platform.security import SEEN_AT

STATELESS_FORMS = {"/voucher"}
FIELDS = {"input", "select", "textarea"}


@dataclass
class Page:
    """A page that was fetched, and that is in order."""

    status: int
    html: str
    path: str
    response: TestResponse
    document: Any = field(repr=False)

    def all(self, selector: str) -> list[Any]:
        """All elements that a CSS selector finds."""
        return list(self.document.query(selector))

    def one(self, selector: str) -> Any:
        """The one element that a CSS selector finds."""
        found = self.all(selector)
        assert len(found) == 1, f"{len(found)} elements are {selector}"
        return found[0]

    @property
    def text(self) -> str:
        """What a reader sees."""
        return " ".join(self.one("body").to_text().split())

    def field(self, name: str) -> str:
        """The value of the first field with this name."""
        return str(self.all(f'[name="{name}"]')[0].attrs.get("value") or "")


class Browser:
    """Fetches pages, follows redirects and sends forms, as a visitor on one client address."""

    def __init__(self, app: Flask, address: str = "192.0.2.1") -> None:
        self.client = app.test_client()
        self.address = address

    def sign_in(self, token: str) -> Browser:
        """Be signed in with a session that the factory made (Factory.session_of), as if just now."""
        with self.client.session_transaction() as cookie:
            cookie.clear()
            cookie |= {"_user_id": token, "_fresh": True, SEEN_AT: int(clock.now().timestamp())}
        return self

    def get(self, path: str, *, status: int = 200) -> Page:
        """Fetch a page."""
        return self._page(self._send("GET", path), path, status)

    def post(
        self, path: str, data: dict[str, Any], *, status: int = 200, headers: dict[str, str] | None = None
    ) -> Page:
        """Send a form and follow where it leads."""
        return self._page(self._send("POST", path, data=data, headers=headers), path, status)

    def send(self, page: Page, action: str, **changes: str) -> TestResponse:
        """Send a form of a page as it stands, with some fields changed, and follow nothing."""
        return self._send("POST", action, data=self.fields(page, action) | changes)

    def submit(self, page: Page, action: str, *, status: int = 200, **changes: str) -> Page:
        """Send a form of a page as it stands, with some fields changed, and follow where it leads."""
        response = self.send(page, action, **changes)
        if 300 <= response.status_code < 400:
            return self._follow(response, status)
        return self._page(response, action, status)

    @staticmethod
    def fields(page: Page, action: str) -> dict[str, str]:
        """What a browser would send for the first form with this action."""
        form = page.all(f'form[action="{action}"]')[0]
        sent = {}
        for element in form.query("input, select, textarea"):
            attributes, name = element.attrs, element.attrs.get("name")
            if not name or (attributes.get("type") in {"checkbox", "radio"} and "checked" not in attributes):
                continue
            value = attributes.get("value") or ""
            sent[name] = element.to_text().strip() if element.name == "textarea" else value
        return sent

    def _send(self, method: str, path: str, **options: Any) -> TestResponse:
        # In a context of its own: inside the test's app context it would share its session, and hide stale objects.
        options["environ_base"] = {"REMOTE_ADDR": self.address}
        return contextvars.Context().run(self.client.open, path, method=method, **options)

    def _follow(self, response: TestResponse, status: int) -> Page:
        leads = urlsplit(response.location)
        page = self.get(leads._replace(scheme="", netloc="", fragment="").geturl(), status=status)
        page.path = leads.path
        return page

    def _page(self, response: TestResponse, path: str, status: int) -> Page:
        if 300 <= response.status_code < 400:
            return self._follow(response, status)
        html = response.get_data(as_text=True)
        assert response.status_code == status, f"{path}: {response.status_code}, not {status}\n{html[:2000]}"
        page = Page(response.status_code, html, path, response, JustHTML(html, collect_errors=True, sanitize=False))
        check(page)
        return page


def check(page: Page) -> None:
    """Whether a page is in order; the first thing that is not fails the test."""
    errors = [str(error) for error in page.document.errors]
    assert not errors, f"{page.path}: not valid HTML: {errors[:3]}"
    first = urlsplit(page.path).path.split("/")[1]
    assert page.one("html").attrs.get("lang") == (first if first in {"en", "ar"} else "nl")
    assert page.one("head title").to_text().strip(), f"{page.path}: no title"
    assert len(page.all("h1")) == 1, f"{page.path}: {len(page.all('h1'))} h1"
    assert len(page.all("main")) == 1, f"{page.path}: no main"
    # One walk for all that is asked of every element: each selector walks the whole page again.
    elements = [(element.name, element.attrs or {}) for element in page.all("*")]
    ids = [attributes["id"] for _, attributes in elements if "id" in attributes]
    assert len(ids) == len(set(ids)), f"{page.path}: the same id twice"
    assert not any(name == "style" or "style" in attributes for name, attributes in elements), (
        f"{page.path}: inline style"
    )
    scripts = [attributes for name, attributes in elements if name == "script"]
    # Data for search engines is no script: nothing runs it, and the policy does not look at it.
    assert all(one.get("src") or one.get("type") == "application/ld+json" for one in scripts), (
        f"{page.path}: inline script"
    )
    handlers = [name for _, attributes in elements for name in attributes if name.startswith("on")]
    assert not handlers, f"{page.path}: inline handler {handlers[0]}"
    _check_forms(page)
    csp = page.response.headers["Content-Security-Policy"]
    assert "unsafe" not in csp
    assert "frame-ancestors 'none'" in csp


def _check_forms(page: Page) -> None:
    labels = page.all("label")
    labelled = {label.attrs.get("for") for label in labels}
    inside = {id(element) for label in labels for element in label.query("input, select, textarea")}
    for element in page.all("input, select, textarea"):
        attributes = element.attrs
        if attributes.get("type") in {"hidden", "submit"}:
            continue
        named = attributes.get("id") in labelled or attributes.get("aria-label") or id(element) in inside
        assert named, f"{page.path}: a field without a label: {attributes}"
    for form in page.all("form"):
        action = re.sub(r"^/[a-z]{2}(?=/)", "", form.attrs["action"])
        if (form.attrs.get("method") or "get").lower() != "post" or action in STATELESS_FORMS:
            continue
        assert form.query('input[name="csrf_token"]'), f"{page.path}: a form without a CSRF token"
