# SPDX-License-Identifier: EUPL-1.2
"""Events in words: who, what, and what of their details may be told."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _

from abs_platform.actors import account_number
from abs_platform.event_log.queries import OF_ONE_VOUCHER, STAFF
from abs_platform.event_log.states import LABELS, SENTENCES, SUBJECTS
from abs_platform.events import Event
from abs_platform.finance.states import Settlement
from abs_platform.moderation.history import SENTENCES as INITIATIVE_SENTENCES
from abs_platform.money import format_euros
from abs_platform.payments.states import RefundReason
from abs_platform.payouts.history import SENTENCES as PAYOUT_SENTENCES
from abs_platform.rule_settings.states import BY_NAME, written
from abs_platform.templating import long_datetime
from abs_platform.work.states import WorkKind

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?([+-]\d\d:\d\d|Z)$")
# All that may be told of an event about one voucher: never what it was given to, nor by whom.
TOLD_OF_A_VOUCHER = frozenset({"round", "batch", "old", "new"})


def who(actor: str, names: Mapping[int, str]) -> str:
    """Who did it: staff by name, residents never."""
    kind, _colon, name = actor.partition(":")
    if actor.startswith(STAFF):
        number = account_number(actor)
        return names.get(number or 0) or str(_("Medewerker %(number)s", number=name))
    if kind in {"job", "command"}:
        return str(_("Het systeem (%(name)s)", name=name))
    return str({"giver": _("Een gever"), "organiser": _("Een bewoner")}.get(kind) or kind)


def sentence(event: Event, by: str) -> str:
    """What happened, in a sentence; of a kind without one, its name in words."""
    words = SENTENCES.get(event.kind)
    if words is None and event.kind in INITIATIVE_SENTENCES:
        return str(INITIATIVE_SENTENCES[event.kind]).replace("%(who)s", by)
    if words is None and event.kind in PAYOUT_SENTENCES:
        return str(_("Uitbetaling: %(what)s.", what=str(PAYOUT_SENTENCES[event.kind]).lower()))
    if words is None:
        verb = event.kind.partition(".")[2].replace("_", " ")
        return f"{subject_label(event.subject).capitalize()}: {verb}"
    return str(words)


def reason(event: Event) -> str:
    """Why; the reason of a refund is a word of ours."""
    if event.subject == "payment" and event.reason in set(RefundReason):
        return str(RefundReason(event.reason).label)
    return event.reason or ""


def subject_label(subject: str) -> str:
    """What an event is about, in a word."""
    return str(SUBJECTS.get(subject) or subject.replace("_", " "))


def shown_details(event: Event) -> list[tuple[str, str]]:
    """The details that may be told, as label and value."""
    details = event.details or {}
    if event.subject in OF_ONE_VOUCHER:
        details = {name: value for name, value in details.items() if name in TOLD_OF_A_VOUCHER}
    if event.kind == "rule.changed":
        details = _of_a_rule(details)
    order = list(LABELS)
    details = dict(sorted(details.items(), key=lambda one: order.index(one[0]) if one[0] in LABELS else len(order)))
    told = {name: value for name, value in details.items() if value not in (None, [])}
    return [(_label(name), _value(name, value)) for name, value in told.items()]


def _label(name: str) -> str:
    return str(LABELS.get(name) or name.replace("_", " "))


def _value(name: str, value: Any) -> str:
    """Cents as euros, the name of long work and moments in words."""
    if name.endswith("cents") and isinstance(value, int):
        return format_euros(value)
    if name == "what" and value in set(WorkKind):
        return str(WorkKind(value).label)
    if name == "settlement" and value in set(Settlement):
        return str(Settlement(value).label)
    if name.endswith("_at") and isinstance(value, list):
        return " → ".join(_value(name, one) for one in value)
    if isinstance(value, str) and _MOMENT.match(value):
        return long_datetime(dt.datetime.fromisoformat(value))
    return _written(value)


def _of_a_rule(details: Mapping[str, Any]) -> dict[str, Any]:
    """A changed number as the page of settings writes it."""
    number = BY_NAME.get(str(details.get("name")))
    if number is None:
        return dict(details)
    return {name: str(number.label) if name == "name" else written(number.unit, details[name]) for name in details}


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(_("ja") if value else _("nee"))
    if isinstance(value, dict):
        return ", ".join(f"{_label(name)}: {_value(name, one)}" for name, one in value.items()) or "-"
    if isinstance(value, list):
        return ", ".join(_written(one) for one in value) or "-"
    return "-" if value is None else str(value)
