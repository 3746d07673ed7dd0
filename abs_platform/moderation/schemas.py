# SPDX-License-Identifier: EUPL-1.2
"""What the forms and the address of the desk may say: input in, plain data out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask_babel import gettext as _

from abs_platform.areas.queries import AreaRow
from abs_platform.errors import InvalidInput
from abs_platform.initiatives.states import InitiativeState, OverridableRule
from abs_platform.moderation.letters import Choice
from abs_platform.moderation.queue import NOBODY, Filters
from abs_platform.moderation.states import DecisionKind, WaitingKind
from abs_platform.rich_text import without_unseen
from abs_platform.users import User

MAX_SEARCH = 80
_MAX_DIGITS = 18
OWN_DESKS, ALL_DESKS, MYSELF, NO_ONE = "eigen", "alle", "ik", "niemand"


def plain_text(text: str) -> str:
    """What was typed, without what cannot be seen and without space around it."""
    return without_unseen(text).strip()


def read_number(text: str | None) -> int | None:
    """A number from a form or an address; None when it is not one."""
    digits = (text or "").strip()
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) <= _MAX_DIGITS else None


def read_filters(args: Mapping[str, str], user: User, desks: Sequence[AreaRow]) -> tuple[Filters, dict[str, str]]:
    """The filters in an address, and what to write into the address of the next page: only what is not usual.

    Usual are the own desks, those of an absent colleague among them; who has none sees all.
    """
    kept: dict[str, str] = {}
    usual = OWN_DESKS if user.desk_area_ids else ALL_DESKS
    wanted = args.get("balie", usual)
    chosen = next((desk for desk in desks if desk.slug == wanted), None)
    area_ids: frozenset[int] | None = user.desk_area_ids if usual == OWN_DESKS else None
    if chosen is not None:
        area_ids = frozenset({chosen.id})
    elif wanted == ALL_DESKS:
        area_ids = None
    if area_ids != (user.desk_area_ids if usual == OWN_DESKS else None):
        kept["balie"] = wanted
    kind = next((kind for kind in WaitingKind if kind.value == args.get("soort")), None)
    state = next((state for state in InitiativeState if state.value == args.get("status")), None)
    who = args.get("wie", "")
    handler_id = {MYSELF: user.account_id, NO_ONE: NOBODY}.get(who, read_number(who))
    only_late = args.get("laat") == "1"
    search = " ".join(plain_text(args.get("zoek", ""))[:MAX_SEARCH].split())
    chosen_values = {
        "soort": kind.value if kind else "",
        "status": state.value if state else "",
        "wie": who if handler_id is not None else "",
        "laat": "1" if only_late else "",
        "zoek": search,
    }
    kept |= {name: value for name, value in chosen_values.items() if value}
    filters = Filters(desks=area_ids, kind=kind, handler_id=handler_id, only_late=only_late, state=state, search=search)
    return filters, kept


def read_page(args: Mapping[str, str]) -> int:
    """The number of a page; the first when it is none."""
    return min(read_number(args.get("pagina")) or 1, 1_000_000)


def read_choice(form: Mapping[str, str]) -> Choice:
    """What somebody decides. Raises: InvalidInput when nothing was chosen."""
    kind = next((kind for kind in DecisionKind if kind.value == form.get("kind")), None)
    if kind is None:
        sentence = _("Kies wat je besluit.")
        raise InvalidInput(sentence, fields={"kind": sentence})
    return Choice(kind=kind, reason=plain_text(form.get("reason", "")), to_area_id=read_number(form.get("to_area_id")))


def read_rule(form: Mapping[str, str]) -> OverridableRule:
    """Which rule is set aside. Raises: InvalidInput."""
    rule = next((rule for rule in OverridableRule if rule.value == form.get("rule")), None)
    if rule is None:
        sentence = _("Kies voor welke regel je een uitzondering maakt.")
        raise InvalidInput(sentence, fields={"rule": sentence})
    return rule
