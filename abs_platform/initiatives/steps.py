# SPDX-License-Identifier: EUPL-1.2
"""The steps in which organisers write: what each asks, what is done, and what still has to be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l

from abs_platform.initiatives.content import EMPTY, RELIED_ON
from abs_platform.initiatives.permissions import CHANGEABLE_STATES
from abs_platform.initiatives.states import InitiativeState
from abs_platform.lives import LabelledEnum
from abs_platform.rich_text import without_unseen


class Step(LabelledEnum):
    """A screen of the wizard; the value stands in its address."""

    IDEA = "idee", _l("Je idee")
    STORY = "verhaal", _l("Je plan")
    PLACE = "plek", _l("De plek")
    PEOPLE = "wie", _l("Wie doen er mee")
    MONEY = "geld", _l("Het geld")
    WHEN = "wanneer", _l("Wanneer")
    HELP = "hulp", _l("Hulp die nodig is")
    RULES = "regels", _l("De regels")
    PICTURES = "fotos", _l("Foto's")
    CHECK = "controleren", _l("Controleren en versturen")


# What each step writes.
FIELDS: dict[Step, tuple[str, ...]] = {
    Step.IDEA: ("title", "summary", "theme"),
    Step.STORY: ("story",),
    Step.PLACE: ("area_id", "place_description", "latitude", "longitude"),
    Step.PEOPLE: ("audience",),
    Step.MONEY: ("budget",),
    Step.WHEN: ("deadline_on", "planning"),
    Step.HELP: ("needs",),
    Step.RULES: ("rule_answers",),
    Step.PICTURES: ("pictures",),
    Step.CHECK: (),
}
# Where each problem of sending is mended: the step, and the field on it.
MENDED_AT: dict[str, tuple[Step, str]] = {
    "title": (Step.IDEA, "title"),
    "summary": (Step.IDEA, "summary"),
    "theme": (Step.IDEA, "theme"),
    "story": (Step.STORY, "story"),
    "place": (Step.PLACE, "area_id"),
    "own_address": (Step.PEOPLE, "postcode"),
    "organisers": (Step.PEOPLE, "organisers"),
    "target": (Step.MONEY, "budget"),
    "budget": (Step.MONEY, "budget"),
    "deadline": (Step.WHEN, "deadline_on"),
    "rule_answers": (Step.RULES, "rule_answers"),
    "pictures": (Step.PICTURES, "pictures"),
}
# Empty rows under those that are filled in, so that one can go on without JavaScript.
EMPTY_ROWS, LEAST_ROWS = 2, 3
MAX_ROWS_READ = 99
_MAY_BE_EMPTY = frozenset({Step.HELP, Step.PICTURES})


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one step is. A step that may be empty and is, is neither done nor missing."""

    step: Step
    is_done: bool
    is_missing: bool

    @property
    def may_be_skipped(self) -> bool:
        """Whether nothing has to be filled in here."""
        return not (self.is_done or self.is_missing)


def steps_for(state: InitiativeState) -> list[Step]:
    """The steps there are: once the money is in, what it was asked for stands."""
    fixed = {Step.MONEY} if state in CHANGEABLE_STATES - {InitiativeState.PUBLISHED} else set()
    return [step for step in Step if step not in fixed]


def progress_of(content: Mapping[str, Any], problems: Iterable[str], state: InitiativeState) -> list[Progress]:
    """Every step but the last, with what is done."""
    missing = {MENDED_AT[name][0] for name in problems}
    found = []
    for step in steps_for(state):
        if step == Step.CHECK:
            continue
        is_empty = all(content[name] == EMPTY[name] for name in FIELDS[step])
        is_done = step not in missing and not (step in _MAY_BE_EMPTY and is_empty)
        found.append(Progress(step, is_done, step in missing))
    return found


def missing_in(progress: Iterable[Progress]) -> int:
    """How many steps still have to be done."""
    return sum(one.is_missing for one in progress)


def next_step(step: Step, state: InitiativeState) -> Step:
    """The screen after this one."""
    steps = steps_for(state)
    return steps[min(steps.index(step) + 1, len(steps) - 1)]


def step_before(step: Step, state: InitiativeState) -> Step | None:
    """The screen before this one; None on the first."""
    steps = steps_for(state)
    return steps[steps.index(step) - 1] if steps.index(step) else None


def needs_desk(step: Step) -> bool:
    """Whether, after publishing, all that this step changes goes back to the desk; of "wanneer" only a part does."""
    return bool(FIELDS[step]) and RELIED_ON.issuperset(FIELDS[step])


def has_both(step: Step) -> bool:
    """Whether one part of this step is live at once and another goes to the desk."""
    return not needs_desk(step) and not RELIED_ON.isdisjoint(FIELDS[step])


def values_of(step: Step, content: Mapping[str, Any]) -> dict[str, str]:
    """What stands in the form of a step: names of fields and their texts."""
    if step == Step.MONEY:
        return {
            f"budget-{number}-{name}": text
            for number, line in enumerate(content["budget"], start=1)
            for name, text in (("description", line["description"]), ("amount", plain_amount(line["amount_cents"])))
        }
    if step == Step.HELP:
        return {
            f"need-{number}-{name}": need[name]
            for number, need in enumerate(content["needs"], start=1)
            for name in ("kind", "description")
        }
    if step == Step.RULES:
        return {f"rule_{key}": answer for key, answer in content["rule_answers"].items()}
    texts = {name: content[name] for name in FIELDS[step] if name != "pictures"}
    return {
        name: "" if value is None else str(value).replace(".", ",") if isinstance(value, float) else str(value)
        for name, value in texts.items()
    }


def plain_amount(cents: int) -> str:
    """An amount as one types it: "490" or "12,50"."""
    euros, rest = divmod(cents, 100)
    return f"{euros},{rest:02d}" if rest else str(euros)


def rows_in(form: Mapping[str, str], prefix: str, names: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    """The rows of a list of fields like "budget-3-amount" in which something was typed, with their numbers."""
    found = []
    for number in range(1, MAX_ROWS_READ + 1):
        row = {name: without_unseen(form.get(f"{prefix}-{number}-{name}", "")).strip() for name in names}
        if any(row.values()):
            found.append((number, row))
    return found


def rows_shown(
    values: Mapping[str, str], prefix: str, names: Sequence[str], filled: str = ""
) -> list[tuple[int, dict[str, str]]]:
    """The rows of a list as they stand in the form, and a few empty ones to go on with."""
    typed = [number for number, _row in rows_in(values, prefix, (filled,) if filled else names)]
    found = [(number, {name: values.get(f"{prefix}-{number}-{name}", "") for name in names}) for number in typed]
    empty = max(EMPTY_ROWS, LEAST_ROWS - len(found))
    return found + [(max(typed, default=0) + more, dict.fromkeys(names, "")) for more in range(1, empty + 1)]
