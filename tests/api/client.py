# SPDX-License-Identifier: EUPL-1.2
"""A client of the API for tests: every answer it gets is held against the API Design Rules."""

from __future__ import annotations

import contextvars
from dataclasses import dataclass
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

HEADERS = {
    "API-Version": "1.0.0",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@dataclass(frozen=True)
class Answer:
    """An answer that is in order."""

    status: int
    json: Any
    headers: Any


class ApiClient:
    """Speaks JSON, keeps no cookie."""

    def __init__(self, app: Flask, address: str = "192.0.2.1") -> None:
        self.client = app.test_client(use_cookies=False)
        self.address = address

    def get(self, path: str, *, status: int = 200, **options: Any) -> Answer:
        """Ask."""
        return self.send("GET", path, status=status, **options)

    def give(self, body: Any, *, status: int = 201) -> Answer:
        """Give a voucher."""
        return self.send("POST", "/api/v1/voucher-donations", status=status, json=body)

    def send(self, method: str, path: str, *, status: int, **options: Any) -> Answer:
        """Send anything, and check what comes back."""
        options["environ_base"] = {"REMOTE_ADDR": self.address}
        response: TestResponse = contextvars.Context().run(self.client.open, path, method=method, **options)
        assert response.status_code == status, response.get_data(as_text=True)
        check(response)
        return Answer(status, response.get_json(silent=True), response.headers)


def check(response: TestResponse) -> None:
    """Whether an answer keeps to the rules that hold for every answer, refusals too."""
    headers = response.headers
    for name, value in HEADERS.items():
        assert headers[name] == value
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "Set-Cookie" not in headers
    if response.request.scheme == "https":
        assert int(headers["Strict-Transport-Security"].split(";")[0].removeprefix("max-age=")) >= 31_536_000
    if response.status_code < 400:
        assert response.content_type == "application/json" or not response.data
        return
    assert response.content_type == "application/problem+json"
    if response.request.method != "HEAD":
        problem = response.get_json()
        assert problem["status"] == response.status_code
        assert problem["title"]
        assert problem["detail"]
        assert problem["requestId"] == headers["X-Request-ID"]
