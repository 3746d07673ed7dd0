# SPDX-License-Identifier: EUPL-1.2
"""Setting a number of the rules: with a reason, within its bounds, and never without a trace.

Changes are only ever added: the newest of a name is in force. A round keeps the numbers it was planned with.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from flask_babel import gettext as _
from sqlalchemy import text
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.actors import Actor
from abs_platform.errors import Conflict, InvalidInput, NotAllowed, NotFound
from abs_platform.municipality import Rules
from abs_platform.rule_settings.in_force import current_rules, forget_rules
from abs_platform.rule_settings.models import RuleChange
from abs_platform.rule_settings.queries import values_set
from abs_platform.rule_settings.states import BY_NAME, IN_ORDER, Number, written

__all__ = ["change_rule", "check_value", "current_rules", "find_number", "forget_rules"]


def find_number(name: str) -> Number:
    """A number that may be set. Raises: NotFound; NotAllowed for what stays in the file."""
    number = BY_NAME.get(name)
    if number is None:
        raise NotFound(_("Deze instelling bestaat niet."))
    if not number.may_be_set:
        raise NotAllowed(_("Deze instelling staat in het bestand van de gemeente en kun je hier niet wijzigen."))
    return number


def check_value(number: Number, value: int, rules: Rules) -> None:
    """Whether a number may become this, beside the others. Raises: InvalidInput."""
    if not number.least <= value <= number.most:
        bounds = {"least": written(number.unit, number.least), "most": written(number.unit, number.most)}
        _refuse(_("Kies een waarde van %(least)s tot en met %(most)s.", **bounds))
    if value == getattr(rules, number.name):
        _refuse(_("Dit is al de waarde. Vul een andere in, of ga terug."))
    changed = replace(rules, **{number.name: value})
    for low, high in IN_ORDER:
        if number.name in {low, high} and getattr(changed, low) > getattr(changed, high):
            least, most = BY_NAME[low], BY_NAME[high]
            _refuse(
                _(
                    "Dit past niet bij de andere instellingen: '%(low)s' is dan meer dan '%(high)s'.",
                    low=least.label,
                    high=most.label,
                )
            )


def change_rule(
    session: Session,
    name: str,
    value: int,
    *,
    seen_value: int,
    reason: str,
    in_file: Rules,
    account_id: int,
    actor: Actor,
    now: dt.datetime,
) -> RuleChange:
    """Set a number. ``seen_value`` is what stood on the screen of who changes it; ``in_file`` what the file says.

    Locks: the table of changes, so that two who change at once see each other.
    Raises: NotFound, NotAllowed, InvalidInput; Conflict when it was changed meanwhile.
    """
    number = find_number(name)
    if not reason.strip():
        raise InvalidInput(_("Zeg waarom."), fields={"reason": _("Schrijf op waarom je dit wijzigt.")})
    session.execute(text("LOCK TABLE rule_changes IN SHARE ROW EXCLUSIVE MODE"))
    rules = replace(in_file, **values_set(session))
    old = getattr(rules, name)
    if old != seen_value:
        raise Conflict(
            _(
                "Deze instelling is intussen gewijzigd in %(value)s. Kijk er opnieuw naar.",
                value=written(number.unit, old),
            )
        )
    check_value(number, value, rules)
    change = RuleChange(
        name=name, old_value=old, value=value, changed_at=now, account_id=account_id, reason=reason.strip()
    )
    session.add(change)
    session.flush()
    events.record(
        session, "rule.changed", change.id, actor=actor, now=now, reason=change.reason, name=name, old=old, new=value
    )
    return change


def _refuse(sentence: str) -> None:
    raise InvalidInput(sentence, fields={"value": sentence})
