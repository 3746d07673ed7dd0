# SPDX-License-Identifier: EUPL-1.2
"""Two providers of OpenID Connect: a real one in a process of its own, and one that lies when it is told to."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from flask import Flask
from joserfc import jwt
from joserfc.jwk import RSAKey

from abs_platform.accounts.oidc import Provider
from abs_platform.openid import OpenId

PATIENCE = 60.0
CLIENT_ID, CLIENT_SECRET = "buurtsamen", "een geheim"
BACK = "/inloggen/gemeente/terug"


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@dataclass
class RealProvider:
    """oidc-provider-mock, as its users run it."""

    issuer: str

    def has(self, subject: str, **claims: Any) -> str:
        """Let somebody work there."""
        assert requests.put(f"{self.issuer}/users/{subject}", json=claims, timeout=10).status_code == 204
        return subject

    def sign_in(self, url: str, subject: str) -> str:
        """Sign in there, as a browser that was sent to this address; returns the address that it is sent back to."""
        answer = requests.post(url, data={"sub": subject}, allow_redirects=False, timeout=10)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]


@contextmanager
def real_provider() -> Iterator[RealProvider]:
    """Start it, and stop it."""
    port = free_port()
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port), "--require-nonce"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    issuer = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{issuer}/.well-known/openid-configuration", process)
        yield RealProvider(issuer)
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        assert process.poll() is None, "the provider ended"
        try:
            if requests.get(url, timeout=5).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.05)
    raise AssertionError("the provider does not start")


@dataclass
class LyingProvider:
    """``claims`` and ``header`` change its tokens, ``key`` signs them, ``answers`` replaces what a path answers."""

    issuer: str
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "1", "alg": "RS256"}))
    published: list[RSAKey] = field(default_factory=list)
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=lambda: {"alg": "RS256", "kid": "1"})
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    token: str | None = None
    asked: list[tuple[str, dict[str, str], str]] = field(default_factory=list)

    def id_token(self, nonce: str) -> str:
        """An id_token, right but for what was changed; a claim of None is left out."""
        now = int(time.time())
        right = {"iss": self.issuer, "sub": "s1", "aud": CLIENT_ID, "exp": now + 300, "iat": now, "nonce": nonce}
        claims = {name: value for name, value in (right | self.claims).items() if value is not None}
        return jwt.encode(self.header, claims, self.key)

    def answer(self, path: str, form: dict[str, str], authorization: str, nonce: str) -> tuple[int, bytes]:
        """What it answers."""
        self.asked.append((path, form, authorization))
        if path in self.answers:
            return self.answers[path]
        keys = [key.as_dict(private=False) for key in self.published or [self.key]]
        token = {"access_token": "a", "token_type": "Bearer", "id_token": self.token or self.id_token(nonce)}
        bodies = {
            "/.well-known/openid-configuration": {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/jwks",
                "userinfo_endpoint": f"{self.issuer}/userinfo",
            },
            "/jwks": {"keys": keys},
            "/token": token,
            "/userinfo": {"sub": "s1"},
        }
        return (200, json.dumps(bodies[path]).encode()) if path in bodies else (404, b"")

    def is_proven(self, url: str) -> bool:
        """Whether the token was asked for with the secret behind the challenge of this address (PKCE, S256)."""
        query = parse_qs(urlsplit(url).query)
        verifier = next(form["code_verifier"] for path, form, _authorization in self.asked if path == "/token")
        made = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        return query["code_challenge_method"] == ["S256"] and query["code_challenge"] == [made]


@contextmanager
def lying_provider() -> Iterator[LyingProvider]:
    """Start it, and stop it. The nonce of a sign-in is sent to it as its code."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            form = {name: values[0] for name, values in parse_qs(self.rfile.read(length).decode()).items()}
            path = urlsplit(self.path).path
            authorization = self.headers.get("Authorization", "")
            status, body = provider.answer(path, form, authorization, form.get("code", ""))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _answer  # noqa: N815 - the names of http.server

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider = LyingProvider(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def use_provider(app: Flask, monkeypatch: pytest.MonkeyPatch, issuer: str, acr: str = "") -> Provider:
    """Let an app sign in at this provider."""
    openid = OpenId(issuer=issuer, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, acr=acr)
    provider = Provider(openid, f"http://localhost{BACK}")
    monkeypatch.setitem(app.extensions, "openid_provider", provider)
    monkeypatch.setitem(app.jinja_env.globals, "has_oidc", True)
    return provider
