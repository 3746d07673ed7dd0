# SPDX-License-Identifier: EUPL-1.2
"""The verbs of an initiative's life, from draft to realised; each checks the table of moves and writes an event."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.actors import Actor
from abs_platform.clock import local_date
from abs_platform.config import Rules
from abs_platform.database import on_violation
from abs_platform.donations.queries import total_of
from abs_platform.errors import Conflict, InvalidInput, NotFound
from abs_platform.initiatives.models import BudgetLine, Initiative, Organiser
from abs_platform.initiatives.queries import has_reached_target
from abs_platform.initiatives.states import TRANSITIONS, InitiativeState, OrganiserRole, Theme
from abs_platform.lives import check_move
from abs_platform.money import format_euros

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What residents write about their idea. Budget lines are (description, cents); together they are the target."""

    title: str
    summary: str
    story: str
    theme: Theme
    area_id: int
    place_description: str
    target_cents: int
    deadline_on: dt.date
    budget: Sequence[tuple[str, int]]


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
        state=InitiativeState.DRAFT.value,
        created_at=now,
    )
    session.add(initiative)
    session.flush()
    session.add_all(
        BudgetLine(initiative_id=initiative.id, position=position, description=description, amount_cents=cents)
        for position, (description, cents) in enumerate(draft.budget, start=1)
    )
    _add_organiser(session, initiative, initiator, OrganiserRole.INITIATOR, confirmed_at=now)
    events.record(session, "initiative.created", initiative.id, actor=actor, now=now)
    return initiative


def add_co_organiser(
    session: Session, initiative_id: int, person: Person, *, actor: Actor, now: dt.datetime
) -> Organiser:
    """Name a co-organiser, who counts once confirmed. Raises: Conflict once the initiative is out of their hands."""
    initiative = _lock(session, initiative_id)
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

    It needs: a target within the limits, a budget whose lines add up to it, a deadline after today and at most a year
    away, and three confirmed organisers on three different addresses. Raises: InvalidInput naming all that is missing.
    """
    initiative = _lock(session, initiative_id)
    problems = _problems_of(session, initiative, rules, local_date(now))
    if problems:
        raise InvalidInput(" ".join(problems.values()), fields=problems)
    _move(session, initiative, InitiativeState.SUBMITTED, actor=actor, now=now)


def _problems_of(session: Session, initiative: Initiative, rules: Rules, today: dt.date) -> dict[str, str]:
    problems = {}
    if not rules.min_target_cents <= initiative.target_cents <= rules.max_target_cents:
        least, most = format_euros(rules.min_target_cents), format_euros(rules.max_target_cents)
        problems["target"] = _("Vraag een bedrag van %(least)s tot %(most)s.", least=least, most=most)
    budget = session.scalar(
        select(func.coalesce(func.sum(BudgetLine.amount_cents), 0)).where(BudgetLine.initiative_id == initiative.id)
    )
    if budget != initiative.target_cents:
        problems["budget"] = _(
            "De regels van de begroting zijn samen %(budget)s, maar het streefbedrag is %(target)s.",
            budget=format_euros(int(budget or 0)),
            target=format_euros(initiative.target_cents),
        )
    if not today < initiative.deadline_on <= today + dt.timedelta(days=rules.max_deadline_days):
        problems["deadline"] = _("Kies een streefdatum na vandaag en binnen een jaar.")
    confirmed = session.execute(
        select(Organiser.postcode, Organiser.house_number).where(
            Organiser.initiative_id == initiative.id, Organiser.confirmed_at.is_not(None)
        )
    )
    addresses = {(row.postcode, _parts_of(row.house_number)) for row in confirmed}
    if len(addresses) < rules.min_organisers:
        problems["organisers"] = _(
            "Er zijn %(needed)s organisatoren nodig, op verschillende adressen, die hebben bevestigd dat ze meedoen. "
            "Nu zijn het er %(there)s.",
            needed=rules.min_organisers,
            there=len(addresses),
        )
    return problems


def _parts_of(house_number: str) -> tuple[str, ...]:
    """The numbers and letters of a house number: "12a", "12 A" and "012-a" are the same, "12-1" and "121" are not."""
    return tuple(part.lstrip("0") for part in re.findall(r"\d+|[^\W\d_]+", house_number.upper()))


def request_changes(session: Session, initiative_id: int, *, reason: str, actor: Actor, now: dt.datetime) -> None:
    """Ask the organisers to change something, with what and why."""
    _move(
        session, _lock(session, initiative_id), InitiativeState.CHANGES_REQUESTED, actor=actor, now=now, reason=reason
    )


def publish(session: Session, initiative_id: int, *, actor: Actor, now: dt.datetime) -> None:
    """Let an initiative collect. Raises: Conflict when its deadline has passed meanwhile."""
    initiative = _lock(session, initiative_id)
    if initiative.deadline_on <= local_date(now):
        raise Conflict(_("De streefdatum is al voorbij. Vraag de initiatiefnemer om een nieuwe."))
    initiative.published_at = now
    _move(session, initiative, InitiativeState.PUBLISHED, actor=actor, now=now)


def reject(session: Session, initiative_id: int, *, reason: str, actor: Actor, now: dt.datetime) -> None:
    """Say no, with a reason."""
    _end(session, initiative_id, InitiativeState.REJECTED, reason=reason, actor=actor, now=now)


def stop(session: Session, initiative_id: int, *, reason: str, actor: Actor, now: dt.datetime) -> None:
    """The wijkregisseur stops what goes wrong. Its gifts go back with close_initiatives (rule 7)."""
    _end(session, initiative_id, InitiativeState.STOPPED, reason=reason, actor=actor, now=now)


def withdraw(session: Session, initiative_id: int, *, reason: str, actor: Actor, now: dt.datetime) -> None:
    """The organisers withdraw. Its gifts go back with close_initiatives (rule 7)."""
    _end(session, initiative_id, InitiativeState.WITHDRAWN, reason=reason, actor=actor, now=now)


def start(session: Session, initiative_id: int, *, actor: Actor, now: dt.datetime) -> None:
    """The residents start carrying it out."""
    _move(session, _lock(session, initiative_id), InitiativeState.IN_PROGRESS, actor=actor, now=now)


def realise(session: Session, initiative_id: int, *, actor: Actor, now: dt.datetime) -> None:
    """It is done."""
    _move(session, _lock(session, initiative_id), InitiativeState.REALISED, actor=actor, now=now)


def close_if_funded(session: Session, initiative_id: int, *, actor: Actor, now: dt.datetime) -> bool:
    """Fund an initiative whose confirmed donations reach its target (rule 6); says whether it did.

    Called in a transaction of its own right after a gift's: two givers who each turn their share lock into an exclusive
    one would wait for each other for ever. A look without a lock comes first, so that most gifts never wait here.

    Locks: the initiative (exclusive), which waits for the gifts that are under way.
    """
    if not has_reached_target(session, initiative_id):
        return False
    initiative = _lock(session, initiative_id)
    if initiative.state != InitiativeState.PUBLISHED:
        return False
    _move(session, initiative, InitiativeState.FUNDED, actor=actor, now=now)
    initiative.ended_at = now
    return True


def expire_if_due(session: Session, initiative_id: int, *, actor: Actor, now: dt.datetime) -> bool:
    """End an initiative whose deadline passed without its target (rule 7); says whether it did."""
    initiative = _lock(session, initiative_id)
    is_due = initiative.state == InitiativeState.PUBLISHED and initiative.deadline_on < local_date(now)
    if not is_due or total_of(session, initiative_id).cents >= initiative.target_cents:
        return False
    _move(session, initiative, InitiativeState.EXPIRED, actor=actor, now=now)
    initiative.ended_at = now
    return True


def _end(
    session: Session, initiative_id: int, target: InitiativeState, *, reason: str, actor: Actor, now: dt.datetime
) -> None:
    initiative = _lock(session, initiative_id)
    _move(session, initiative, target, actor=actor, now=now, reason=reason)
    initiative.ended_at = now


def _move(
    session: Session,
    initiative: Initiative,
    target: InitiativeState,
    *,
    actor: Actor,
    now: dt.datetime,
    reason: str | None = None,
) -> None:
    check_move(TRANSITIONS, InitiativeState(initiative.state), target, f"initiatief '{initiative.title}'")
    if reason is not None and not reason.strip():
        raise InvalidInput(_("Geef een reden."), fields={"reason": _("Geef een reden.")})
    initiative.state = target.value
    events.record(session, f"initiative.{target.value}", initiative.id, actor=actor, now=now, reason=reason)
    session.flush()


def _lock(session: Session, initiative_id: int) -> Initiative:
    initiative = session.scalar(
        select(Initiative)
        .where(Initiative.id == initiative_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if initiative is None:
        raise NotFound(_("Dit initiatief bestaat niet (meer)."))
    return initiative


def _add_organiser(
    session: Session, initiative: Initiative, person: Person, role: OrganiserRole, *, confirmed_at: dt.datetime | None
) -> Organiser:
    organiser = Organiser(
        initiative_id=initiative.id,
        role=role.value,
        name=person.name.strip(),
        email=person.email.strip().lower(),
        postcode=person.postcode.replace(" ", "").upper(),
        house_number=person.house_number.strip(),
        confirmed_at=confirmed_at,
    )
    session.add(organiser)
    session.flush()
    return organiser
