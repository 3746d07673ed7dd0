# SPDX-License-Identifier: EUPL-1.2
"""What a screen of the wizard shows: what is kept, how far it is, what the desk said, and what each step must know."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.accounts.queries import district_managers
from abs_platform.areas.queries import desk_area_of, list_areas
from abs_platform.areas.states import AreaLevel
from abs_platform.events import latest_of
from abs_platform.initiatives import content as contents
from abs_platform.initiatives.changing import CHANGE_EVENTS
from abs_platform.initiatives.content import Content, changes_between, content_of
from abs_platform.initiatives.inviting import organisers_of, shared_addresses
from abs_platform.initiatives.models import Initiative, Proposal
from abs_platform.initiatives.permissions import (
    CHANGEABLE_STATES,
    EDITABLE_STATES,
    Subject,
    can_withdraw,
    is_initiator,
)
from abs_platform.initiatives.states import InitiativeState, NeedKind, Theme
from abs_platform.initiatives.steps import (
    FIELDS,
    MENDED_AT,
    Progress,
    Step,
    has_both,
    missing_in,
    needs_desk,
    next_step,
    progress_of,
    rows_shown,
    step_before,
    values_of,
)
from abs_platform.initiatives.submitting import count_addresses, problems_of_content
from abs_platform.media.queries import pictures_of
from abs_platform.media.states import MAX_PICTURES, Purpose
from abs_platform.municipality import Rules
from abs_platform.rich_text import Contact, contacts_in
from abs_platform.rulebook.queries import assess, load_rulebook
from abs_platform.users import User
from abs_platform.working_days import answer_by


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """One screen. ``values`` are the texts in its form; ``desk_said`` is what must change, in the desk's words."""

    initiative: Initiative
    proposal: Proposal
    rules: Rules
    step: Step | None
    values: dict[str, str]
    progress: list[Progress]
    problems: dict[str, str]
    desk_said: str
    is_initiator: bool
    can_withdraw: bool
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def content(self) -> Content:
        """What is kept."""
        return self.proposal.content

    @property
    def title(self) -> str:
        """What the organisers call it now; once it is published, what everybody calls it."""
        written = "" if self.is_public else self.content["title"]
        return str(written or self.initiative.title)

    @property
    def state(self) -> InitiativeState:
        """Where it is in its life."""
        return InitiativeState(self.initiative.state)

    @property
    def is_editable(self) -> bool:
        """Whether it is with the organisers, before publishing."""
        return self.state in EDITABLE_STATES

    @property
    def is_public(self) -> bool:
        """Whether it is published, and can be changed in part."""
        return self.state in CHANGEABLE_STATES

    @property
    def left(self) -> int:
        """How many steps still have to be done."""
        return missing_in(self.progress)

    @property
    def number(self) -> int:
        """Which step this is, counted from one."""
        return [one.step for one in self.progress].index(self.step) + 1 if self.step != Step.CHECK and self.step else 0

    @property
    def before(self) -> Step | None:
        """The step before this one."""
        return step_before(self.step, self.state) if self.step else None

    @property
    def after(self) -> Step | None:
        """The step after this one."""
        return next_step(self.step, self.state) if self.step else None

    def places_of_problems(self) -> list[tuple[Step, str, str]]:
        """What is missing: the step and the field where it is mended, and the sentence."""
        places = [(*MENDED_AT[name], sentence) for name, sentence in self.problems.items()]
        order = list(Step)
        return sorted(places, key=lambda place: order.index(place[0]))

    def kept_now(self) -> list[tuple[str, str]]:
        """What is kept of this step and differs from what was typed: label and text."""
        if self.step is None:
            return []
        kept = values_of(self.step, self.content)
        differing = {name for name in {**kept, **self.values} if _words(kept, name) != _words(self.values, name)}
        is_list = self.step in {Step.MONEY, Step.HELP, Step.RULES}
        return [
            (contents.label_of(name), contents.readable(self.content, name) or "-")
            for name in FIELDS[self.step]
            if name != "longitude" and (is_list or name in differing)
        ]


def _words(values: dict[str, str], name: str) -> list[str]:
    return values.get(name, "").split()


def screen_of(
    session: Session,
    initiative: Initiative,
    *,
    rules: Rules,
    user: User,
    subject: Subject,
    step: Step | None = None,
    values: dict[str, str] | None = None,
) -> Screen:
    """A screen as its form is kept, or with what was typed."""
    proposal = contents.working_copy(session, initiative.id)
    today = clock.today()
    problems = problems_of_content(session, initiative.id, proposal.content, rules, today)
    state = InitiativeState(initiative.state)
    if state in CHANGEABLE_STATES:  # of what is public, only the words can still be missing
        problems = {}
    typed = values if values is not None else values_of(step, proposal.content) if step else {}
    screen = Screen(
        initiative=initiative,
        proposal=proposal,
        rules=rules,
        step=step,
        values=typed,
        progress=progress_of(proposal.content, problems, state),
        problems=problems,
        desk_said=_desk_said(session, initiative),
        is_initiator=is_initiator(user, subject),
        can_withdraw=can_withdraw(user, subject),
    )
    screen.more.update(_more(session, screen))
    return screen


def _desk_said(session: Session, initiative: Initiative) -> str:
    """The words of the wijkregisseur when something must change, or a change was not agreed to."""
    wanted = {
        InitiativeState.CHANGES_REQUESTED: {"initiative.changes_requested"},
        InitiativeState.PUBLISHED: CHANGE_EVENTS,
    }.get(InitiativeState(initiative.state))
    latest = latest_of(session, "initiative", initiative.id, wanted) if wanted else None
    return (latest.reason or "") if latest is not None else ""


def _more(session: Session, screen: Screen) -> dict[str, Any]:
    """What the template of one step needs besides."""
    initiative, content, rules = screen.initiative, screen.content, screen.rules
    needed: dict[Step | None, Callable[[], dict[str, Any]]] = {
        Step.IDEA: lambda: {"themes": [(theme.value, theme.label) for theme in Theme]},
        Step.PLACE: lambda: {"area_groups": _area_groups(session)},
        Step.PEOPLE: lambda: people_of(session, initiative, rules),
        Step.MONEY: lambda: {"rows": rows_shown(screen.values, "budget", ("description", "amount"))},
        Step.WHEN: lambda: _days(rules) | _in_time(session, content, rules),
        Step.HELP: lambda: {
            "rows": rows_shown(screen.values, "need", ("description", "kind"), filled="description"),
            "kinds": [(kind.value, kind.label) for kind in NeedKind],
        },
        Step.RULES: lambda: {
            "rulebook": load_rulebook(session),
            "answers": {name.removeprefix("rule_"): value for name, value in screen.values.items()},
            **_in_time(session, content, rules),
        },
        Step.PICTURES: lambda: {
            "pictures": pictures_of(session, initiative.id),
            "most": MAX_PICTURES[Purpose.INITIATIVE],
        },
        Step.CHECK: lambda: _sending(session, screen),
        None: lambda: _sending(session, screen),
    }
    found = needed[screen.step]() if screen.step in needed else {}
    step = screen.step
    return found | {"note": "desk" if step and needs_desk(step) else "both" if step and has_both(step) else ""}


def _days(rules: Rules) -> dict[str, Any]:
    tomorrow = clock.today() + dt.timedelta(days=1)
    return {"first_day": tomorrow, "last_day": clock.today() + dt.timedelta(days=rules.max_deadline_days)}


def people_of(session: Session, initiative: Initiative, rules: Rules) -> dict[str, Any]:
    """Who carries it, who was asked, and how many more are needed besides who began, whose address is asked apart."""
    people = organisers_of(session, initiative.id)
    there = count_addresses(session, initiative.id)
    own_to_come = 0 if people[0].postcode else 1
    return {
        "own": people[0],
        "others": people[1:],
        "shared": shared_addresses(people),
        "there": there,
        "needed": max(0, rules.min_organisers - there - own_to_come),
        "asked": sum(one.confirmed_at is None and one.declined_at is None for one in people[1:]),
    }


def _sending(session: Session, screen: Screen) -> dict[str, Any]:
    """What one must know before sending and after: who answers and by when, what changes, whose data stand there."""
    initiative, content, rules, now = screen.initiative, screen.content, screen.rules, clock.now()
    desk = initiative.desk_area_id or (desk_area_of(session, content["area_id"]) if content["area_id"] else None)
    managers = district_managers(session, desk, clock.local_date(now)) if desk is not None else []
    is_waiting = initiative.state == InitiativeState.SUBMITTED and initiative.submitted_at is not None
    sent_at = initiative.submitted_at if is_waiting and initiative.submitted_at else now
    changes = [] if initiative.published_at is None else changes_between(content_of(session, initiative), content)
    return {
        "answer_by": answer_by(sent_at, rules.answer_working_days),
        "change_answer_by": answer_by(screen.proposal.sent_at or now, rules.answer_working_days),
        "managers": [name for _account_id, _email, name in managers],
        "contacts": _contacts(content),
        **_in_time(session, content, rules),
        "live_at_once": [change for change in changes if not change.needs_desk],
        "for_the_desk": [change for change in changes if change.needs_desk],
    }


def _contacts(content: Content) -> list[Contact]:
    """E-mail addresses and phone numbers in what will be public: they may be somebody else's."""
    texts = [content[name] for name in ("title", "summary", "story", "place_description", "audience", "planning")]
    texts += [line["description"] for line in (*content["budget"], *content["needs"])]
    return contacts_in("\n\n".join(texts))


def _in_time(session: Session, content: Content, rules: Rules) -> dict[str, Any]:
    """What the rules check says, and whether the deadline comes before it can be."""
    promise = answer_by(clock.now(), rules.answer_working_days)
    assessment = assess(load_rulebook(session), content["rule_answers"], clock.today(), promise)
    deadline = contents.read_date(content["deadline_on"])
    too_early = deadline is not None and bool(content["rule_answers"]) and deadline < assessment.earliest_on
    return {"assessment": assessment, "deadline": deadline, "too_early": too_early}


def _area_groups(session: Session) -> list[tuple[str, list[tuple[int, str]]]]:
    """The areas to choose from, the largest first: (heading, [(id, name)]); a district heads its neighbourhoods."""
    areas = list_areas(session)
    districts = sorted((one for one in areas if one.level == AreaLevel.DISTRICT), key=lambda one: one.name.casefold())
    groups = [
        ("", [(one.id, one.name) for one in areas if one.level == AreaLevel.MUNICIPALITY]),
        ("-", [(one.id, one.name) for one in districts]),
    ]
    for district in districts:
        inside = [one for one in areas if one.level == AreaLevel.NEIGHBOURHOOD and one.parent_id == district.id]
        inside.sort(key=lambda one: one.name.casefold())
        groups.append((district.name, [(one.id, one.name) for one in inside]))
    return groups
