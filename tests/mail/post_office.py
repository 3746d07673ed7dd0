# SPDX-License-Identifier: EUPL-1.2
"""A real SMTP server for tests, that can be slow, say no, break, and be away; and an app that sends to it."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from flask import Flask

from abs_platform.config import Settings
from abs_platform.mail_server import MailServer

PATIENCE = 30.0
SENDER = "buurt@buurtsamen.example"
USER, PASSWORD = "abs", "geheim wachtwoord"
Answer = Callable[[str], str | None]


@dataclass
class Delivery:
    """What the server took, or was about to take when the other side vanished."""

    recipient: str
    sender: str
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        """As a mail program reads it."""
        read = message_from_bytes(self.raw, policy=default)
        assert isinstance(read, EmailMessage)
        return read

    @property
    def message_id(self) -> str:
        return str(self.message["Message-ID"])


@dataclass
class Post:
    """What happens at each step: ``answers`` maps MAIL, RCPT or DATA to a function of the recipient (or sender).

    A step in ``stops`` says that it was reached, and then waits until it may go on.
    """

    deliveries: list[Delivery] = field(default_factory=list)
    connections: int = 0
    logins: list[str] = field(default_factory=list)
    hellos: list[str] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    stops: set[str] = field(default_factory=set)
    reached: threading.Event = field(default_factory=threading.Event)
    may_go_on: threading.Event = field(default_factory=threading.Event)
    _took: threading.Condition = field(default_factory=threading.Condition)

    @property
    def recipients(self) -> list[str]:
        return [delivery.recipient for delivery in self.deliveries]

    def wait_for(self, number: int) -> None:
        """Wait until it took this many mails."""
        with self._took:
            assert self._took.wait_for(lambda: len(self.deliveries) >= number, PATIENCE)

    def _take(self, delivery: Delivery) -> None:
        with self._took:
            self.deliveries.append(delivery)
            self._took.notify_all()

    async def _at(self, step: str, whom: str) -> str | None:
        if step in self.stops:
            self.reached.set()
            while not self.may_go_on.is_set():
                await asyncio.sleep(0.005)
        return self.answers[step](whom) if step in self.answers else None

    async def handle_EHLO(  # noqa: N802 - the names are aiosmtpd's
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.connections += 1
        self.hellos.append(hostname)
        await self._at("EHLO", hostname)
        return responses

    async def handle_MAIL(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = await self._at("MAIL", address)
        if answer is None:
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return answer or "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = await self._at("RCPT", address)
        if answer is None:
            envelope.rcpt_tos.append(address)
            envelope.rcpt_options.extend(options)
        return answer or "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        (recipient,) = envelope.rcpt_tos
        raw, sender = envelope.original_content, envelope.mail_from
        assert raw is not None
        assert sender is not None
        delivery = Delivery(recipient, sender, raw)
        if "DATA" in self.stops:  # it has it; whether the other side hears that is another matter
            self._take(delivery)
            return await self._at("DATA", recipient) or "250 OK"
        answer = await self._at("DATA", recipient)
        if answer == "BREAK":
            assert server.transport is not None
            server.transport.abort()
        elif answer is None:
            self._take(delivery)
        return answer or "250 OK"


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def open_office(post: Post, port: int, **options: Any) -> Iterator[None]:
    """The server is there while the block runs."""
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # its own log is not about us
    controller = Controller(post, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield
    finally:
        post.may_go_on.set()
        controller.stop()


def with_password(post: Post) -> dict[str, Any]:
    """Options of a server that wants to know who it talks to."""

    def authenticate(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        post.logins.append(data.login.decode())
        return AuthResult(success=data.password == PASSWORD.encode(), handled=False)

    return {"authenticator": authenticate, "auth_required": True}


def sends_to(app: Flask, port: int, query: str = "", *, scheme: str = "smtp", login: str = "") -> Settings:
    """Let this app send its mail to that port."""
    settings: Settings = app.extensions["settings"]
    server = MailServer.parse(f"{scheme}://{login}127.0.0.1:{port}{query}")
    app.extensions["settings"] = replace(settings, mail_server=server, mail_from=SENDER)
    return app.extensions["settings"]


def make_certificate(path: Path) -> ssl.SSLContext:
    """The server's side of TLS, with a certificate for this machine that it signed itself."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    begin = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(begin).not_valid_after(begin + dt.timedelta(days=1))
    this_machine = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = made.add_extension(this_machine, critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    signed = made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    path.write_bytes(signed + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context
