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
    # One walk for all that is asked: each selector walks the whole page again.
    elements = _walk(page.document.root)
    named: dict[str, list[Any]] = {}
    for element in elements:
        named.setdefault(element.name, []).append(element)
    assert named["html"][0].attrs.get("lang") == (first if first in {"en", "ar"} else "nl")
    assert named["title"][0].to_text().strip(), f"{page.path}: no title"
    assert len(named.get("h1", ())) == 1, f"{page.path}: {len(named.get('h1', ()))} h1"
    assert len(named.get("main", ())) == 1, f"{page.path}: no main"
    ids = [element.attrs["id"] for element in elements if "id" in element.attrs]
    assert len(ids) == len(set(ids)), f"{page.path}: the same id twice"
    styles = [element for element in elements if element.name == "style" or "style" in element.attrs]
    assert not styles, f"{page.path}: inline style"
    # Data for search engines is no script: nothing runs it, and the policy does not look at it.
    scripts = [one.attrs for one in named.get("script", ()) if one.attrs.get("type") != "application/ld+json"]
    assert all(one.get("src") for one in scripts), f"{page.path}: inline script"
    handlers = [name for element in elements for name in element.attrs if name.startswith("on")]
    assert not handlers, f"{page.path}: inline handler {handlers[0]}"
    _check_forms(page, named)
    csp = page.response.headers["Content-Security-Policy"]
    assert "unsafe" not in csp
    assert "frame-ancestors 'none'" in csp


def _walk(top: Any) -> list[Any]:
    """The elements in an element, in order; texts and comments are none."""
    found, waiting = [], [top]
    while waiting:
        element = waiting.pop()
        waiting += [child for child in reversed(element.children or ()) if child.name[0] not in "#!"]
        if element is not top:
            found.append(element)
    return found


def _check_forms(page: Page, named: dict[str, list[Any]]) -> None:
    labels = named.get("label", ())
    labelled = {label.attrs.get("for") for label in labels}
    inside = {id(element) for label in labels for element in _walk(label) if element.name in FIELDS}
    for element in (one for name in sorted(FIELDS) for one in named.get(name, ())):
        attributes = element.attrs
        if attributes.get("type") in {"hidden", "submit"}:
            continue
        is_named = attributes.get("id") in labelled or attributes.get("aria-label") or id(element) in inside
        assert is_named, f"{page.path}: a field without a label: {attributes}"
    for form in named.get("form", ()):
        action = re.sub(r"^/[a-z]{2}(?=/)", "", form.attrs["action"])
        if (form.attrs.get("method") or "get").lower() != "post" or action in STATELESS_FORMS:
            continue
        fields = [one.attrs for one in _walk(form) if one.name == "input"]
        assert any(one.get("name") == "csrf_token" for one in fields), f"{page.path}: a form without a CSRF token"
