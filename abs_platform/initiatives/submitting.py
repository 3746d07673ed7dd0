# SPDX-License-Identifier: EUPL-1.2
"""From an idea to an initiative that was sent to the desk: the draft, its organisers and what rule 4 asks of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.actors import Actor
from abs_platform.areas.queries import desk_area_of, is_current
from abs_platform.clock import local_date
from abs_platform.database import on_violation
from abs_platform.errors import Conflict, InvalidInput, NotFound
from abs_platform.initiatives.content import Content, read_date
from abs_platform.initiatives.models import BudgetLine, Initiative, InitiativeNeed, Organiser, RuleOverride
from abs_platform.initiatives.organisers import address_parts
from abs_platform.initiatives.service import lock, move
from abs_platform.initiatives.states import InitiativeState, NeedKind, OrganiserRole, OverridableRule, Theme
from abs_platform.media.queries import pictures_without_alt
from abs_platform.money import format_euros
from abs_platform.municipality import Rules
from abs_platform.rulebook.queries import assess, load_rulebook

MAX_TITLE = 120
MAX_SUMMARY = 300
MAX_STORY = 20_000

on_violation("uq_organisers_initiative_id_email", lambda: Conflict(_("Dit e-mailadres staat er al bij.")))
on_violation("ck_organisers_postcode_form", lambda: InvalidInput(_("Vul een postcode in zoals 1234 AB.")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An organiser as given: a name, an e-mail address and the address that the three-organiser rule looks at."""

    name: str
    email: str
    postcode: str
    house_number: str
    account_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What residents write about their idea.

    Budget lines are (description, cents); together they are the target. Needs are (kind, description).
    """

    title: str
    summary: str
    story: str
    theme: Theme
    area_id: int
    place_description: str
    target_cents: int
    deadline_on: dt.date
    budget: Sequence[tuple[str, int]]
    audience: str = ""
    planning: str = ""
    needs: Sequence[tuple[NeedKind, str]] = ()


def create_draft(session: Session, draft: Draft, initiator: Person, *, actor: Actor, now: dt.datetime) -> Initiative:
    """Start an initiative; nobody but its organisers sees it. Raises: InvalidInput for texts too short or too long."""
    fields = {}
    for name, text, longest in (
        ("title", draft.title, MAX_TITLE),
        ("summary", draft.summary, MAX_SUMMARY),
        ("story", draft.story, MAX_STORY),
    ):
        if not 1 <= len(text.strip()) <= longest:
            fields[name] = _("Schrijf hier 1 tot %(longest)s tekens.", longest=longest)
    if draft.target_cents <= 0 or any(cents <= 0 for _description, cents in draft.budget):
        fields["budget"] = _("Elk bedrag moet meer dan nul zijn.")
    if fields:
        raise InvalidInput(_("Het initiatief kan zo niet worden bewaard."), fields=fields)
    initiative = Initiative(
        title=draft.title.strip(),
        summary=draft.summary.strip(),
        story=draft.story.strip(),
        theme=draft.theme.value,
        area_id=draft.area_id,
        place_description=draft.place_description.strip(),
        target_cents=draft.target_cents,
        deadline_on=draft.deadline_on,
        audience=draft.audience.strip(),
        planning=draft.planning.strip(),
        state=InitiativeState.DRAFT.value,
        created_at=now,
    )
    session.add(initiative)
    session.flush()
    _add_lines(session, initiative.id, draft)
    _add_organiser(session, initiative, initiator, OrganiserRole.INITIATOR, confirmed_at=now)
    events.record(session, "initiative.created", initiative.id, actor=actor, now=now)
    return initiative


def _add_lines(session: Session, initiative_id: int, draft: Draft) -> None:
    session.add_all(
        BudgetLine(initiative_id=initiative_id, position=position, description=description, amount_cents=cents)
        for position, (description, cents) in enumerate(draft.budget, start=1)
    )
    session.add_all(
        InitiativeNeed(initiative_id=initiative_id, position=position, kind=kind.value, description=description)
        for position, (kind, description) in enumerate(draft.needs, start=1)
    )


def add_co_organiser(
    session: Session, initiative_id: int, person: Person, *, actor: Actor, now: dt.datetime
) -> Organiser:
    """Name a co-organiser, who counts once confirmed. Raises: Conflict once the initiative is out of their hands."""
    initiative = lock(session, initiative_id)
    if initiative.state not in {InitiativeState.DRAFT, InitiativeState.CHANGES_REQUESTED}:
        raise Conflict(_("Je kunt nu geen medeorganisator meer toevoegen."))
    organiser = _add_organiser(session, initiative, person, OrganiserRole.CO_ORGANISER, confirmed_at=None)
    events.record(session, "initiative.co_organiser_added", initiative_id, actor=actor, now=now, organiser=organiser.id)
    return organiser


def confirm_co_organiser(session: Session, organiser_id: int, *, actor: Actor, now: dt.datetime) -> None:
    """A co-organiser says yes. Saying it twice changes nothing. Raises: NotFound."""
    organiser = session.get(Organiser, organiser_id, with_for_update=True)
    if organiser is None:
        raise NotFound(_("Deze uitnodiging bestaat niet (meer)."))
    if organiser.confirmed_at is None:
        organiser.confirmed_at = now
        events.record(
            session,
            "initiative.co_organiser_confirmed",
            organiser.initiative_id,
            actor=actor,
            now=now,
            organiser=organiser.id,
        )


def submit(session: Session, initiative_id: int, *, rules: Rules, actor: Actor, now: dt.datetime) -> None:
    """Send an initiative to the wijkregisseur (rule 4).

    It needs: a place, a target within the limits, a budget whose lines add up to it, a deadline after today and at most
    a year away, and three confirmed organisers on three different addresses. The coordinator may have set aside the
    number of organisers or the maximum for this one. Raises: InvalidInput naming all that is missing.
    """
    initiative = lock(session, initiative_id)
    problems = problems_of(session, initiative, rules, local_date(now))
    if problems:
        raise InvalidInput(" ".join(problems.values()), fields=problems)
    initiative.submitted_at = now
    if initiative.desk_area_id is None:  # once it was handed over, it goes back to that desk
        initiative.desk_area_id = desk_area_of(session, initiative.area_id)
    move(session, initiative, InitiativeState.SUBMITTED, actor=actor, now=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What rule 4 looks at. ``budget_cents`` is the sum of the lines."""

    area_id: int | None
    target_cents: int | None
    budget_cents: int
    deadline_on: dt.date | None


def problems_of(session: Session, initiative: Initiative, rules: Rules, today: dt.date) -> dict[str, str]:
    """What still stands in the way of sending what the row says: field and sentence."""
    budget = session.scalar(
        select(func.coalesce(func.sum(BudgetLine.amount_cents), 0)).where(BudgetLine.initiative_id == initiative.id)
    )
    plan = Plan(
        area_id=initiative.area_id,
        target_cents=initiative.target_cents,
        budget_cents=int(budget or 0),
        deadline_on=initiative.deadline_on,
    )
    return problems_of_plan(session, initiative.id, plan, rules, today)


def problems_of_plan(session: Session, initiative_id: int, plan: Plan, rules: Rules, today: dt.date) -> dict[str, str]:
    """What rule 4 still misses: field and sentence."""
    overridden = set(session.scalars(select(RuleOverride.rule).where(RuleOverride.initiative_id == initiative_id)))
    maximum = None if OverridableRule.MAXIMUM in overridden else rules.max_target_cents
    problems = {}
    if plan.area_id is None or not is_current(session, plan.area_id):
        problems["place"] = _("Kies de buurt, de wijk of de hele gemeente.")
    problems |= _problems_of_money(plan, rules.min_target_cents, maximum)
    if plan.deadline_on is None:
        problems["deadline"] = _("Kies een streefdatum.")
    elif not today < plan.deadline_on <= today + dt.timedelta(days=rules.max_deadline_days):
        problems["deadline"] = _("Kies een streefdatum na vandaag en binnen een jaar.")
    there = count_addresses(session, initiative_id)
    if there < rules.min_organisers and OverridableRule.ORGANISERS not in overridden:
        problems["organisers"] = ngettext(
            "Er zijn %(needed)s organisatoren nodig, op verschillende adressen, die hebben bevestigd dat ze meedoen. "
            "Nu is het er %(num)s.",
            "Er zijn %(needed)s organisatoren nodig, op verschillende adressen, die hebben bevestigd dat ze meedoen. "
            "Nu zijn het er %(num)s.",
            there,
            needed=rules.min_organisers,
        )
    return problems


def problems_of_content(
    session: Session, initiative_id: int, content: Content, rules: Rules, today: dt.date
) -> dict[str, str]:
    """What still stands in the way of sending what the organisers wrote: rule 4, and all that a page needs."""
    sentences = {
        "title": _("Geef je idee een titel."),
        "summary": _("Vertel in het kort wat je wilt."),
        "theme": _("Kies een thema."),
        "story": _("Vertel je plan."),
    }
    problems = {name: sentence for name, sentence in sentences.items() if not content[name].strip()}
    plan = Plan(
        area_id=content["area_id"],
        target_cents=content["target_cents"],
        budget_cents=sum(line["amount_cents"] for line in content["budget"]),
        deadline_on=read_date(content["deadline_on"]),
    )
    address = select(Organiser.house_number).where(
        Organiser.initiative_id == initiative_id,
        Organiser.role == OrganiserRole.INITIATOR.value,
        Organiser.postcode.is_not(None),
    )
    if not session.scalar(address):
        problems["own_address"] = _("Vul je eigen postcode en huisnummer in.")
    problems |= problems_of_plan(session, initiative_id, plan, rules, today)
    left = len(assess(load_rulebook(session), content["rule_answers"], today).unanswered)
    if left:
        problems["rule_answers"] = ngettext(
            "Beantwoord nog %(num)s vraag van de regelcheck.", "Beantwoord nog %(num)s vragen van de regelcheck.", left
        )
    if pictures_without_alt(session, initiative_id):
        problems["pictures"] = _("Beschrijf je foto's, of zeg dat ze alleen versiering zijn.")
    return problems


def _problems_of_money(plan: Plan, least: int, most: int | None) -> dict[str, str]:
    if plan.target_cents is None:
        return {"target": _("Vul in hoeveel geld er nodig is.")}
    problems = {}
    if plan.target_cents < least:
        problems["target"] = _("Vraag minstens %(least)s.", least=format_euros(least))
    if most is not None and plan.target_cents > most:
        problems["target"] = _(
            "Vraag een bedrag van %(least)s tot %(most)s. Heb je meer nodig? Overleg met de gemeente.",
            least=format_euros(least),
            most=format_euros(most),
        )
    if plan.budget_cents != plan.target_cents:
        problems["budget"] = _(
            "De regels van de begroting zijn samen %(budget)s, maar het streefbedrag is %(target)s.",
            budget=format_euros(plan.budget_cents),
            target=format_euros(plan.target_cents),
        )
    return problems


def count_addresses(session: Session, initiative_id: int) -> int:
    """On how many different addresses its organisers live who said yes (rule 4)."""
    confirmed = session.execute(
        select(Organiser.postcode, Organiser.house_number).where(
            Organiser.initiative_id == initiative_id,
            Organiser.confirmed_at.is_not(None),
            Organiser.postcode.is_not(None),
        )
    )
    return len({(row.postcode, address_parts(row.house_number or "")) for row in confirmed})


def _add_organiser(
    session: Session, initiative: Initiative, person: Person, role: OrganiserRole, *, confirmed_at: dt.datetime | None
) -> Organiser:
    organiser = Organiser(
        initiative_id=initiative.id,
        role=role.value,
        account_id=person.account_id,
        name=person.name.strip(),
        email=person.email.strip().lower(),
        postcode=person.postcode.replace(" ", "").upper(),
        house_number=person.house_number.strip(),
        confirmed_at=confirmed_at,
    )
    session.add(organiser)
    session.flush()
    return organiser
