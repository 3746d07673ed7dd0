# SPDX-License-Identifier: EUPL-1.2
"""Mail on its way out: written in the caller's transaction, once per event and person; a job sends it."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
import secrets
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import nh3
from flask import Flask, current_app
from flask_babel import force_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from sqlalchemy import CheckConstraint, ColumnElement, Identity, Index, UniqueConstraint, delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from abs_platform.config import Settings
from abs_platform.database import Base, in_list
from abs_platform.errors import InvalidInput
from abs_platform.languages import DEFAULT, prefix_of
from abs_platform.lives import LabelledEnum
from abs_platform.mail_server import read_address

MAX_SUBJECT = 200
MAX_EVENT = 200
_SHOWN_TAGS = {"a", "b", "blockquote", "br", "em", "h1", "h2", "h3", "hr", "i", "li", "ol", "p", "strong", "ul"}
_LANGUAGE: ContextVar[str] = ContextVar("language_of_mail", default=DEFAULT)
_ARTICLE = '<div role="article"'  # where templates/emails/base.html begins with what a reader sees


class MailState(LabelledEnum):
    """Where a mail is on its way."""

    QUEUED = "queued", _l("wacht op verzenden")
    SENDING = "sending", _l("wordt verzonden")
    SENT = "sent", _l("verzonden")
    FAILED = "failed", _l("niet gelukt")


class Transport(LabelledEnum):
    """How a mail left: over SMTP, or only to the demo's own page."""

    SMTP = "smtp", _l("mailserver")
    DEMO = "demo", _l("demo")


_IS_WAITING = "state IN ('queued', 'sending')"


class OutgoingMail(Base):
    """One mail to one person about one event.

    ``due_at`` says when it is somebody's turn (again): of a queued mail the next attempt, of one that is being sent the
    moment at which whoever sends it must be taken for dead. Message-ID and date are made at queueing and never change:
    a mail that leaves twice is the same mail twice. ``recipient`` and content are forgotten in time; the digest stays.
    """

    __tablename__ = "outgoing_mails"
    __table_args__ = (
        CheckConstraint(f"state IN {in_list(MailState)}", name="state_known"),
        CheckConstraint(f"transport IN {in_list(Transport)}", name="transport_known"),
        CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name="sent_at_when_sent"),
        CheckConstraint("(transport IS NULL) = (sent_at IS NULL)", name="transport_when_sent"),
        CheckConstraint(f"{_IS_WAITING} = (due_at IS NOT NULL)", name="due_at_when_waiting"),
        CheckConstraint("num_nulls(subject, text_body, html_body) IN (0, 3)", name="content_whole_or_gone"),
        CheckConstraint(f"NOT ({_IS_WAITING}) OR num_nulls(recipient, subject) = 0", name="waiting_can_be_sent"),
        CheckConstraint("recipient = lower(recipient)", name="recipient_lower_case"),
        CheckConstraint(r"subject !~ '[\r\n]'", name="subject_one_line"),
        CheckConstraint("attempts >= 0", name="attempts_not_negative"),
        UniqueConstraint("event", "recipient_digest"),
        UniqueConstraint("message_id"),
        Index("ix_outgoing_mails_due", "due_at", postgresql_where=_IS_WAITING),
        Index(None, "queued_at"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    event: Mapped[str]
    recipient: Mapped[str | None]
    recipient_digest: Mapped[bytes]
    subject: Mapped[str | None]
    text_body: Mapped[str | None]
    html_body: Mapped[str | None]
    is_secret: Mapped[bool]
    message_id: Mapped[str]
    reply_to: Mapped[str | None]
    unsubscribe_url: Mapped[str | None]
    queued_at: Mapped[dt.datetime]
    state: Mapped[str]
    due_at: Mapped[dt.datetime | None]
    attempts: Mapped[int] = mapped_column(server_default="0")
    waits_for_server: Mapped[bool] = mapped_column(server_default="false")
    sent_at: Mapped[dt.datetime | None]
    transport: Mapped[str | None]
    error: Mapped[str | None]


@dataclass(frozen=True, slots=True)
class RenderedMail:
    """A mail as it will be read; what is shown before it goes is what goes."""

    subject: str
    text: str
    html: str

    @property
    def shown(self) -> Markup:
        """The HTML as an element for a page of ours."""
        return shown(self.html)


def shown(html: str) -> Markup:
    """The HTML of a mail as safe markup for a page of ours: without styles, its title one level down."""
    _before, found, article = html.partition(_ARTICLE)
    clean = nh3.clean(
        f"{_ARTICLE}{article}" if found else html,
        tags=_SHOWN_TAGS,
        attributes={"a": {"href"}, "*": {"lang", "dir"}},
        set_tag_attribute_values={"a": {"class": "utrecht-link"}},
    )
    return Markup(re.sub(r"<(/?)h1>", r"<\1h2>", clean))  # noqa: S704 - nh3 has just cleaned it


def site_url(endpoint: str, *, _anchor: str = "", _language: str | None = None, **values: Any) -> str:
    """The absolute address of a page, also where there is no request. Raises: BuildError when there is no such page.

    It is the page in that language; without one, that of the mail which is being written, and Dutch elsewhere.
    """
    path: str = current_app.url_map.bind("site").build(endpoint, values)
    prefix = prefix_of(_spoken(_language) if _language else _LANGUAGE.get())
    return _settings().base_url + prefix + path + (f"#{_anchor}" if _anchor else "")


def preview(name: str, /, *, language: str = DEFAULT, **context: Any) -> RenderedMail:
    """Render ``templates/emails/<name>.txt`` and ``.html``; the first line of the plain text is the subject.

    It is written in the language of its reader, whatever that of the page is; Dutch when the site does not have it.
    """
    settings, language = _settings(), _spoken(language)
    token = _LANGUAGE.set(language)
    try:
        with force_locale(language):
            context |= {"municipality": settings.municipality, "base_url": settings.base_url + prefix_of(language)}
            plain = _tidy(_render(f"emails/{name}.txt", context))
            subject, _newline, text = plain.partition("\n")
            subject = subject[:MAX_SUBJECT]
            html = _render(f"emails/{name}.html", context | {"subject": subject})
    finally:
        _LANGUAGE.reset(token)
    return RenderedMail(subject, text.strip() + "\n", html)


def _spoken(language: str) -> str:
    return language if language in current_app.config["LANGUAGES"] else DEFAULT


def _render(template: str, context: dict[str, Any]) -> str:
    """Without what pages get besides: a mail reads the same from a page and from a job."""
    return current_app.jinja_env.get_template(template).render(context)


def _tidy(text: str) -> str:
    lines = (line.strip() for line in text.strip().replace("\r", "").split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines))


def queue(
    session: Session,
    name: str,
    /,
    *,
    to: str,
    event: str,
    now: dt.datetime,
    is_secret: bool = False,
    reply_to: str | None = None,
    unsubscribe_url: str | None = None,
    language: str = DEFAULT,
    **context: Any,
) -> bool:
    """Render a mail and queue it; whether it was new. See ``preview`` and ``queue_rendered``."""
    return queue_rendered(
        session,
        preview(name, language=language, **context),
        to=to,
        event=event,
        now=now,
        is_secret=is_secret,
        reply_to=reply_to,
        unsubscribe_url=unsubscribe_url,
    )


def queue_rendered(
    session: Session,
    mail: RenderedMail,
    *,
    to: str,
    event: str,
    now: dt.datetime,
    is_secret: bool = False,
    reply_to: str | None = None,
    unsubscribe_url: str | None = None,
) -> bool:
    """Queue a mail in the caller's transaction; False when this person was already written to about this event.

    ``event`` is "kind:number", as in "sign-in:123", without anything of a person. What a secret mail says is wiped as
    soon as it has left. Raises: InvalidInput when ``to`` or ``reply_to`` is not an e-mail address.
    """
    recipient = _address(to)
    if recipient.endswith(".invalid"):  # of somebody who deleted the account (RFC 2606: nobody is there)
        return False
    if not 0 < len(event) <= MAX_EVENT:
        raise ValueError("an event has a name")
    if unsubscribe_url is not None and not re.fullmatch(r"https?://[!-;=?-~]+", unsubscribe_url):
        raise ValueError("not an address of a page")
    row = {
        "event": event,
        "recipient": recipient,
        "recipient_digest": _digest(recipient),
        "subject": " ".join(mail.subject.split())[:MAX_SUBJECT],
        "text_body": mail.text,
        "html_body": mail.html,
        "is_secret": is_secret,
        "message_id": f"<{secrets.token_hex(16)}@{urlsplit(_settings().base_url).hostname}>",
        "reply_to": _address(reply_to) if reply_to else None,
        "unsubscribe_url": unsubscribe_url,
        "queued_at": now,
        "state": MailState.QUEUED.value,
        "due_at": now,
    }
    new = insert(OutgoingMail).values(row).on_conflict_do_nothing(index_elements=["event", "recipient_digest"])
    return session.scalar(new.returning(OutgoingMail.id)) is not None


def withdraw(session: Session, which: ColumnElement[bool]) -> None:
    """What waits and is of this kind is not sent any more: its reader stopped it. What left already has left."""
    waits = OutgoingMail.state.in_([MailState.QUEUED.value, MailState.SENDING.value])
    session.execute(delete(OutgoingMail).where(which, waits))


def _address(text: str) -> str:
    try:
        return read_address(text)
    except ValueError as error:
        raise InvalidInput(_("Dit is geen goed e-mailadres. Vul het in zoals naam@voorbeeld.nl.")) from error


def _digest(recipient: str) -> bytes:
    """Who it was, for as long as nobody has our key: enough to see that an event was mailed before."""
    return hmac.digest(f"outbox:{_settings().secret_key}".encode(), recipient.encode(), hashlib.sha256)


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def init_app(app: Flask) -> None:
    """Let templates and their macros write absolute addresses."""
    app.jinja_env.globals["site_url"] = site_url
