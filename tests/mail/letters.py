# SPDX-License-Identifier: EUPL-1.2
"""A mail to test with, and shortcuts to queue it and to see what became of it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import Flask
from jinja2 import ChoiceLoader, DictLoader
from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform import outbox
from abs_platform.outbox import OutgoingMail, RenderedMail

NOW = dt.datetime(2026, 11, 22, 13, 35, tzinfo=dt.UTC)
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
EXAMPLE = {
    "emails/example.txt": """{% extends "emails/base.txt" %}
{% from "emails/parts.txt" import button, code, quote %}
{% block subject %}
  {{ _("Nieuws over %(title)s", title=title) }}
{% endblock subject %}
{% block body %}
{{ _("Hoi %(name)s,", name=name) }}

  {{ code("123 456") }}



{{ quote(words) }}
{{ button(_("Bekijk het"), site_url("initiatives.index", zoek=title)) }}
{% endblock body %}
""",
    "emails/example.html": """{% extends "emails/base.html" %}
{% from "emails/parts.html" import button, code, quote %}
{% block body %}
<p>{{ _("Hoi %(name)s,", name=name) }}</p>
{{ code("123 456") }}
{{ quote(words) }}
{{ button(_("Bekijk het"), site_url("initiatives.index", zoek=title)) }}
{% endblock body %}
""",
}
CONTEXT = {"title": "Bomen & bankjes", "name": "Zoë <b>Ünal</b>", "words": "Kun je dit\naanpassen?"}


def know_the_example(app: Flask, monkeypatch: Any) -> None:
    """Put the example among the templates of this app."""
    loader = app.jinja_env.loader
    assert loader is not None
    monkeypatch.setattr(app.jinja_env, "loader", ChoiceLoader([DictLoader(EXAMPLE), loader]))


def letter(subject: str = "Je initiatief staat online", words: str = "Hoi, hier is nieuws.") -> RenderedMail:
    """A mail that needs no template."""
    return RenderedMail(subject, f"{words}\n", f"<!DOCTYPE html><html lang=nl><body><p>{words}</p></body></html>")


def queue(session: Session, to: str = "ada@voorbeeld.example", event: str = "news:1", **options: Any) -> bool:
    """Queue that mail, at NOW unless told otherwise."""
    given = {"now": NOW} | options
    return outbox.queue_rendered(session, given.pop("mail", letter()), to=to, event=event, **given)


def rows(session: Session) -> list[OutgoingMail]:
    """All mails as they are in the database now."""
    session.rollback()
    session.expire_all()
    return list(session.scalars(select(OutgoingMail).order_by(OutgoingMail.id)))


def row(session: Session) -> OutgoingMail:
    """The only mail."""
    (only,) = rows(session)
    return only
