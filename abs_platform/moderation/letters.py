# SPDX-License-Identifier: EUPL-1.2
"""The mail of a decision and who gets it: what is shown before it goes is what goes."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from abs_platform import outbox
from abs_platform.areas.queries import name_of
from abs_platform.donations.queries import Total, total_of
from abs_platform.initiatives.states import InitiativeState
from abs_platform.moderation.queries import Recipient, first_name, recipients_of
from abs_platform.moderation.service import desk_people
from abs_platform.moderation.states import DecisionKind
from abs_platform.municipality import Rules
from abs_platform.outbox import RenderedMail
from abs_platform.slugs import slugify
from abs_platform.users import User
from abs_platform.working_days import answer_by

if TYPE_CHECKING:
    from abs_platform.initiatives.models import Initiative

_K = DecisionKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What somebody decides. ``to_area_id`` is the desk it goes to when it is handed over."""

    kind: DecisionKind
    reason: str = ""
    to_area_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """The mail of a decision and who gets it; when handed over also the mail to the other desk.

    ``going_back`` is what goes back to givers. ``digest`` stands for all that was shown.
    """

    mail: RenderedMail
    recipients: list[Recipient]
    desk_mail: RenderedMail | None
    desk_recipients: list[Recipient]
    going_back: Total
    digest: str


def compose(
    session: Session, initiative: Initiative, choice: Choice, *, user: User, rules: Rules, now: dt.datetime
) -> Letter:
    """The mail that goes out and its recipients. Reads only."""
    context: dict[str, Any] = {
        "initiative_id": initiative.id,
        "slug": slugify(initiative.title, 60) or "initiatief",
        "title": initiative.title,
        "reason": choice.reason.strip(),
        "name": first_name(user.short_name),
        "days": rules.answer_working_days,
        "is_coordinator": not user.is_district_manager,
        "desk": name_of(session, initiative.desk_area_id) or "",
        "to_desk": name_of(session, choice.to_area_id) or "" if choice.to_area_id else "",
        "answer_by": _promise(initiative, rules),
    }
    mail = outbox.preview(f"decision_{choice.kind.value}", **context)
    recipients = recipients_of(session, initiative.id)
    desk_mail, desk_recipients = None, []
    if choice.kind == _K.HAND_OVER and choice.to_area_id is not None:
        desk_mail = outbox.preview("handed_over", **context)
        desk_recipients = desk_people(session, choice.to_area_id, now)
    going_back = total_of(session, initiative.id) if choice.kind == _K.STOP else Total()
    return Letter(
        mail=mail,
        recipients=recipients,
        desk_mail=desk_mail,
        desk_recipients=desk_recipients,
        going_back=going_back,
        digest=_digest(mail, recipients, desk_mail, desk_recipients),
    )


def _promise(initiative: Initiative, rules: Rules) -> dt.date | None:
    if initiative.state != InitiativeState.SUBMITTED or initiative.submitted_at is None:
        return None
    return answer_by(initiative.submitted_at, rules.answer_working_days)


def _digest(
    mail: RenderedMail, recipients: list[Recipient], desk_mail: RenderedMail | None, desk_recipients: list[Recipient]
) -> str:
    parts = [mail.subject, mail.text, mail.html, *(person.email for person in recipients)]
    parts += [desk_mail.text if desk_mail else "", *(person.email for person in desk_recipients)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
