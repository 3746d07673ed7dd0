# SPDX-License-Identifier: EUPL-1.2
"""The seam with the mail server: one connection, reused, with a limit on every wait."""

from __future__ import annotations

import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Self

from abs_platform.mail_server import MailServer

STEP_SECONDS = 20
ALL_STEPS_SECONDS = 60  # of handing one mail over; a claim lasts much longer (service.CLAIM)
# A 5xx to a recipient that says something of us and not of the recipient: not signed in, wrong order.
_OUR_OWN_FAULT = {503, 530, 534, 535, 538}


class MailError(Exception):
    """A mail did not leave. The sentence is the server's, or says what became of the connection."""


class ServerAway(MailError):
    """There is no talking to the server now; that is no mail's fault."""


class Postponed(MailError):
    """Not now: the server said so, or the connection broke half-way."""


class Refused(MailError):
    """Never: the server takes no mail for this recipient, or not this mail."""


class Connection:
    """Talks with the mail server. Opens when it must, stays open between mails, and opens anew when it was lost."""

    def __init__(self, server: MailServer, hello: str) -> None:
        self.server = server
        self.hello = hello
        self._smtp: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._smtp is not None:
            with suppress(OSError), self._limit(self._smtp, STEP_SECONDS):
                self._smtp.quit()
            self._close()

    def open(self) -> None:
        """Make sure that the server listens. Raises: ServerAway."""
        if self._smtp is not None:
            with suppress(OSError), self._limit(self._smtp, STEP_SECONDS):
                if self._smtp.rset()[0] == 250:
                    return
            self._close()
        context = ssl.create_default_context()
        server = self.server
        try:
            where = (server.host, server.port, self.hello)
            if server.security == "tls":
                self._smtp = smtplib.SMTP_SSL(*where, timeout=STEP_SECONDS, context=context)
            else:
                self._smtp = smtplib.SMTP(*where, timeout=STEP_SECONDS)
            with self._limit(self._smtp, ALL_STEPS_SECONDS):
                if server.security == "starttls":
                    self._smtp.starttls(context=context)
                if server.user:
                    self._smtp.login(server.user, server.password)
                self._smtp.ehlo_or_helo_if_needed()
        except OSError as error:  # what smtplib raises is one too
            self._close()
            raise ServerAway(_sentence_of(error)) from None  # a trace could hold the password

    def send(self, sender: str, recipient: str, message: bytes) -> None:
        """Hand one mail over, after ``open``. When it returns, the server has answered for the mail.

        Raises: Postponed, Refused.
        """
        if self._smtp is None:
            raise Postponed("there is no connection")
        try:
            with self._limit(self._smtp, ALL_STEPS_SECONDS):
                self._smtp.sendmail(sender, [recipient], message)
        except smtplib.SMTPRecipientsRefused as error:
            code, said = error.recipients[recipient]
            raise _verdict(code, said) from None
        except smtplib.SMTPDataError as error:
            raise _verdict(error.smtp_code, error.smtp_error) from None
        except smtplib.SMTPSenderRefused as error:
            raise Postponed(_sentence(error.smtp_code, error.smtp_error)) from None
        except OSError as error:
            self._close()
            raise Postponed(_sentence_of(error)) from None

    def _close(self) -> None:
        if self._smtp is not None:
            with suppress(OSError):
                self._smtp.close()
        self._smtp = None

    @contextmanager
    def _limit(self, smtp: smtplib.SMTP, seconds: float) -> Iterator[None]:
        """Cut the line when all steps together last too long: a server may dribble within the limit of each step."""

        def cut() -> None:
            if smtp.sock is not None:
                with suppress(OSError):
                    socket.socket.shutdown(smtp.sock, socket.SHUT_RDWR)  # under TLS too: no goodbyes

        timer = threading.Timer(seconds, cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def _verdict(code: int, said: bytes | str) -> MailError:
    is_final = 500 <= code < 600 and code not in _OUR_OWN_FAULT
    return (Refused if is_final else Postponed)(_sentence(code, said))


def _sentence(code: int, said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return " ".join(f"{code} {text}".split())[:500]


def _sentence_of(error: OSError) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return _sentence(error.smtp_code, error.smtp_error)
    return " ".join(f"{type(error).__name__}: {error}".split())[:500]
