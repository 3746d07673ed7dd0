# SPDX-License-Identifier: EUPL-1.2
"""Send what is queued: each mail is claimed, sent outside any transaction, and written down at once."""

from __future__ import annotations

import datetime as dt
import ipaddress
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import structlog
from flask import current_app
from sqlalchemy.exc import DBAPIError

from abs_platform.actors import Actor
from abs_platform.config import Settings
from abs_platform.database import db, transaction
from abs_platform.mail import service
from abs_platform.mail.queries import is_any_due
from abs_platform.mail.smtp import Connection, Postponed, Refused, ServerAway
from abs_platform.outbox import Transport
from jobs.runner import JobReport

ACTOR = Actor("job", "send_outbox")
RUN_SECONDS = 60  # then the next run goes on: whoever stops the jobs need not wait for the whole queue
PAUSES_BEFORE_WRITING_AGAIN = (0.2, 1, 5, 15)
log = structlog.get_logger()

Now = Callable[[], dt.datetime]


def run(now: dt.datetime) -> JobReport:
    """In production over SMTP; in development without a mail server to the demo's own page."""
    settings: Settings = current_app.extensions["settings"]
    report = JobReport()
    if settings.mail_server is None:
        if settings.is_production:
            raise RuntimeError("there is no mail server: set ABS_SMTP_URL")
        with transaction() as session:
            report.changed = service.deliver_to_demo(session, now=now)
        return report
    started = time.monotonic()

    def clock() -> dt.datetime:
        return now + dt.timedelta(seconds=time.monotonic() - started)

    due = is_any_due(db.session(), now)
    db.session.rollback()
    if due:
        with Connection(settings.mail_server, _hello(settings)) as connection:
            _send_all(connection, settings, clock, report)
    return report


def _hello(settings: Settings) -> str:
    """How we name ourselves to the server: the site's host, as RFC 5321 writes it."""
    host = urlsplit(settings.base_url).hostname or "localhost"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return f"[IPv6:{address}]" if address.version == 6 else f"[{address}]"


def _send_all(connection: Connection, settings: Settings, clock: Now, report: JobReport) -> None:
    """Until nothing is due; the server is asked first, so that no mail is claimed for a server that is away."""
    until = clock() + dt.timedelta(seconds=RUN_SECONDS)

    def claims() -> Iterator[service.Claim]:
        connection.open()
        with transaction() as session:
            service.release_held(session, now=clock())
        while clock() < until:
            connection.open()
            with transaction() as session:
                claim = service.claim_next(session, now=clock())
            if claim is None:
                return
            yield claim

    def send(claim: service.Claim) -> int:
        return _send(connection, claim, settings, clock, report)

    try:
        report.each(claims(), send)
    except ServerAway as away:
        with transaction() as session:
            given_up = service.hold_all(session, str(away), actor=ACTOR, now=clock())
        log.warning("the mail server does not answer", reason=str(away), given_up=given_up)
        report.errors.append(f"the mail server does not answer: {away}")


def _send(connection: Connection, claim: service.Claim, settings: Settings, clock: Now, report: JobReport) -> int:
    try:
        message = bytes(service.message_of(claim.mail, settings))
    except Exception:
        with transaction() as session:
            service.postpone(session, claim, "it cannot be made; the log says why", actor=ACTOR, now=clock())
        raise
    try:
        connection.send(service.sender_of(settings), claim.recipient, message)
    except Postponed as later:
        with transaction() as session:
            given_up = service.postpone(session, claim, str(later), actor=ACTOR, now=clock())
        log.info("mail postponed", mail=claim.mail_id, given_up=given_up)
        if given_up:
            report.errors.append(f"{claim}: given up after three days")
        return 0
    except Refused as never:
        with transaction() as session:
            service.refuse(session, claim, str(never), actor=ACTOR, now=clock())
        log.info("mail refused", mail=claim.mail_id)
        report.errors.append(f"{claim}: refused; the event log says why")
        return 0
    _write_down(claim, clock)
    return 1


def _write_down(claim: service.Claim, clock: Now) -> None:
    """The server has it: that must be known, or it is sent again. A database that restarts is waited for."""
    for seconds in (*PAUSES_BEFORE_WRITING_AGAIN, None):
        try:
            with transaction() as session:
                service.mark_sent(session, claim.mail_id, transport=Transport.SMTP, now=clock())
        except DBAPIError:
            if seconds is None:
                raise
            time.sleep(seconds)
        else:
            return
