# SPDX-License-Identifier: EUPL-1.2
"""What happens to a queued mail: claimed, sent, tried again later, given up, and forgotten in time (rule 11)."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from sqlalchemy import ColumnExpressionArgument, Select, case, func, select, update
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.actors import Actor
from abs_platform.clock import AMSTERDAM
from abs_platform.config import Settings
from abs_platform.languages import DEFAULT
from abs_platform.outbox import MailState, OutgoingMail, Transport

# Longer than any sending may last (smtp.ALL_STEPS_SECONDS): a claim that runs out belonged to somebody who is dead.
CLAIM = dt.timedelta(minutes=5)
BACK_OFF = [dt.timedelta(minutes=minutes) for minutes in (1, 5, 15, 60)]  # and then every hour
GIVEN_UP_AFTER = dt.timedelta(days=3)
TRIED_BEFORE_GIVING_UP = 5
KEPT = dt.timedelta(days=30)
SECRETS_OF_THE_DEMO_KEPT = dt.timedelta(days=1)
_POLICY = SMTP.clone(cte_type="7bit")  # every server takes it
_WIPED = {"subject": None, "text_body": None, "html_body": None}
_LANGUAGE = re.compile(r'<html lang="([a-zA-Z-]+)"')  # as templates/emails/base.html writes it
_IS_WAITING = OutgoingMail.state.in_([MailState.QUEUED.value, MailState.SENDING.value])


@dataclass(frozen=True, slots=True)
class Claim:
    """A mail that is ours to send until its claim runs out; it belongs to no session."""

    mail: OutgoingMail
    attempt: int

    @property
    def mail_id(self) -> int:
        return self.mail.id

    @property
    def recipient(self) -> str:
        return self.mail.recipient or ""

    def __str__(self) -> str:
        return f"mail {self.mail_id}"


def claim_next(session: Session, *, now: dt.datetime) -> Claim | None:
    """Take the mail whose turn it is, secret ones first: somebody waits for those. Others claim others meanwhile."""
    query = (
        select(OutgoingMail)
        .where(_IS_WAITING, OutgoingMail.due_at <= now)
        .order_by(OutgoingMail.is_secret.desc(), OutgoingMail.due_at, OutgoingMail.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    mail = session.scalar(query)
    if mail is None:
        return None
    mail.state, mail.due_at, mail.attempts = MailState.SENDING.value, now + CLAIM, mail.attempts + 1
    session.flush()
    session.expunge(mail)
    return Claim(mail, mail.attempts)


def message_of(mail: OutgoingMail, settings: Settings) -> EmailMessage:
    """The mail as it goes over the line; made twice it is the same to the last byte."""
    message = EmailMessage(policy=_POLICY)
    message["Subject"] = mail.subject or ""
    message["From"] = Address(settings.municipality.site_name, addr_spec=sender_of(settings))
    message["To"] = mail.recipient or ""
    message["Reply-To"] = mail.reply_to or settings.municipality.contact_email
    message["Date"] = mail.queued_at.astimezone(AMSTERDAM)
    message["Message-ID"] = mail.message_id
    message["Auto-Submitted"] = "auto-generated"
    if mail.unsubscribe_url:
        message["List-Unsubscribe"] = f"<{mail.unsubscribe_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"  # RFC 8058: one click in the mail program
    message.set_content(mail.text_body or "")
    message.add_alternative(mail.html_body or "", subtype="html")
    language = _LANGUAGE.search(mail.html_body or "")
    message["Content-Language"] = language[1] if language else DEFAULT  # setting the content wipes it
    message.set_boundary(f"=_{mail.message_id.strip('<>').partition('@')[0]}")
    return message


def sender_of(settings: Settings) -> str:
    """The address that mail comes from, and to which the post of the world sends bounces."""
    return settings.mail_from or settings.municipality.contact_email


def mark_sent(session: Session, mail_id: int, *, transport: Transport, now: dt.datetime) -> None:
    """The server has answered for it, whoever's claim it is by now. What a secret mail said is wiped at once."""
    sent: dict[str, Any] = {"state": MailState.SENT.value, "sent_at": now, "transport": transport.value}
    sent |= {"due_at": None, "waits_for_server": False, "error": None}
    this = [OutgoingMail.id == mail_id, OutgoingMail.state != MailState.SENT.value]
    if transport is Transport.SMTP:
        session.execute(update(OutgoingMail).where(*this, OutgoingMail.is_secret).values(**sent, **_WIPED))
    session.execute(update(OutgoingMail).where(*this).values(**sent))


def postpone(session: Session, claim: Claim, sentence: str, *, actor: Actor, now: dt.datetime) -> bool:
    """Try again later: after 1, 5, 15 and 60 minutes, then every hour; after three days it has failed.

    Returns whether it was given up. Nothing happens to a mail that is not ours any more.
    """
    mail = _ours(session, claim)
    if mail is None:
        return False
    if mail.attempts >= TRIED_BEFORE_GIVING_UP and now - mail.queued_at >= GIVEN_UP_AFTER:
        _fail(session, mail, sentence, actor=actor, now=now)
        return True
    mail.state, mail.waits_for_server = MailState.QUEUED.value, False
    mail.due_at = now + BACK_OFF[min(mail.attempts, len(BACK_OFF)) - 1]
    mail.error = without_addresses(sentence, mail.recipient or "")
    return False


def refuse(session: Session, claim: Claim, sentence: str, *, actor: Actor, now: dt.datetime) -> None:
    """The server will never take it: it has failed, with the server's own sentence."""
    mail = _ours(session, claim)
    if mail is not None:
        _fail(session, mail, sentence, actor=actor, now=now)


def hold_all(session: Session, sentence: str, *, actor: Actor, now: dt.datetime) -> int:
    """There is no mail server now: nobody's mail needs to find that out by itself. Returns how many were given up."""
    is_due = (OutgoingMail.state == MailState.QUEUED.value, OutgoingMail.due_at <= now)
    is_old = (OutgoingMail.queued_at <= now - GIVEN_UP_AFTER, OutgoingMail.attempts + 1 >= TRIED_BEFORE_GIVING_UP)
    given_up = session.scalars(select(OutgoingMail).where(*is_due, *is_old).with_for_update(skip_locked=True)).all()
    for mail in given_up:
        mail.attempts += 1
        _fail(session, mail, sentence, actor=actor, now=now)
    session.flush()
    waits = [(OutgoingMail.attempts == tried, now + wait) for tried, wait in enumerate(BACK_OFF)]
    held = update(OutgoingMail).where(OutgoingMail.id.in_(_free(*is_due)))
    later = {"due_at": case(*waits, else_=now + BACK_OFF[-1]), "attempts": OutgoingMail.attempts + 1}
    session.execute(held.values(**later, waits_for_server=True, error=without_addresses(sentence, "")))
    return len(given_up)


def release_held(session: Session, *, now: dt.datetime) -> None:
    """The mail server is back: what waited for it need not wait out its time."""
    held = _free(OutgoingMail.state == MailState.QUEUED.value, OutgoingMail.waits_for_server)
    due = {"due_at": func.least(OutgoingMail.due_at, now), "waits_for_server": False}
    session.execute(update(OutgoingMail).where(OutgoingMail.id.in_(held)).values(**due))


def deliver_to_demo(session: Session, *, now: dt.datetime) -> int:
    """Without a mail server, in development: mail counts as sent, and is read at /demo/mail. Returns how many."""
    due = select(OutgoingMail.id).where(_IS_WAITING, OutgoingMail.due_at <= now).with_for_update(skip_locked=True)
    mail_ids = session.scalars(due).all()
    for mail_id in mail_ids:
        mark_sent(session, mail_id, transport=Transport.DEMO, now=now)
    return len(mail_ids)


def forget(session: Session, *, now: dt.datetime) -> int:
    """Wipe to whom mails went and what they said after thirty days; secrets in the demo after one. Returns how many."""
    is_over = OutgoingMail.state.in_([MailState.SENT.value, MailState.FAILED.value])
    is_old = OutgoingMail.queued_at <= now - KEPT
    old = update(OutgoingMail).where(is_over, is_old, OutgoingMail.recipient.is_not(None))
    is_known = OutgoingMail.is_secret & OutgoingMail.subject.is_not(None)
    secret = update(OutgoingMail).where(is_over, is_known, OutgoingMail.sent_at <= now - SECRETS_OF_THE_DEMO_KEPT)
    personal = _WIPED | {"recipient": None, "reply_to": None, "unsubscribe_url": None}
    results = [session.execute(old.values(**personal)), session.execute(secret.values(**_WIPED))]
    return sum(int(getattr(result, "rowcount", 0)) for result in results)


def _free(*where: ColumnExpressionArgument[bool]) -> Select[int]:
    """The mails of this kind that nobody else holds at this moment: several may do this at once."""
    return select(OutgoingMail.id).where(*where).order_by(OutgoingMail.id).with_for_update(skip_locked=True)


def _ours(session: Session, claim: Claim) -> OutgoingMail | None:
    query = select(OutgoingMail).where(
        OutgoingMail.id == claim.mail_id,
        OutgoingMail.state == MailState.SENDING.value,
        OutgoingMail.attempts == claim.attempt,
    )
    return session.scalar(query.with_for_update())


def _fail(session: Session, mail: OutgoingMail, sentence: str, *, actor: Actor, now: dt.datetime) -> None:
    reason = without_addresses(sentence, mail.recipient or "")
    mail.state, mail.due_at, mail.waits_for_server, mail.error = MailState.FAILED.value, None, False, reason
    if mail.is_secret:
        mail.subject = mail.text_body = mail.html_body = None
    kind = mail.event.partition(":")[0]
    events.record(session, "mail.failed", mail.id, actor=actor, now=now, reason=reason, mail=kind)


def without_addresses(sentence: str, recipient: str) -> str:
    """A server's sentence without anybody's address, whole or half: it goes into the log and before staff."""
    local = recipient.partition("@")[0]
    clean = re.sub(r"[^\s<>()\[\]:;,\"']+@[^\s<>()\[\]:;,\"']+", "***", sentence)
    return re.sub(rf"(?<!\w){re.escape(local)}(?!\w)", "***", clean, flags=re.IGNORECASE) if local else clean
