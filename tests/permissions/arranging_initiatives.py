# SPDX-License-Identifier: EUPL-1.2
"""What the people of the town made: initiatives in every state, what hangs on them, and what the desk wrote."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import func, select

from abs_platform.accountability.models import Accountability, CostLine, CostReceipt
from abs_platform.accounts.service import digest
from abs_platform.agenda.models import AgendaItem
from abs_platform.donations.models import Donation
from abs_platform.donations.service import GiftDetails
from abs_platform.help_offers.models import HelpOffer
from abs_platform.initiatives import content
from abs_platform.initiatives.models import Initiative, InitiativeNeed, Organiser, Proposal, Revision
from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.media.keeping import kept_picture, kept_receipt
from abs_platform.media.models import Picture
from abs_platform.media.service import add_picture
from abs_platform.media.states import Purpose
from abs_platform.moderation import deciding
from abs_platform.moderation.letters import Choice
from abs_platform.moderation.models import Decision, DeskNote, Message
from abs_platform.moderation.states import DecisionKind
from abs_platform.news.models import NewsPost
from abs_platform.questions.models import Post, Report
from abs_platform.rulebook.models import RuleQuestion
from abs_platform.updates.models import Update
from tests.factories import SECRET_KEY, TEST_ACTOR
from tests.media.pictures import photo
from tests.permissions.town import (
    DRAFT_REASON,
    GIVER_EMAIL,
    HELPER,
    HERE,
    INITIATOR,
    INVITATION,
    INVITED,
    NOTE,
    OTHER,
    OWN,
    POSTCODES,
    RECEIPT_NAME,
    RESIDENT,
    THEIR_POSTCODES,
    Town,
)


def arrange_initiative(town: Town, name: str, state: State, title: str, people: tuple[str | None, ...]) -> None:
    """One of ours or of theirs, with its organisers and what they wrote last."""
    session, factory, is_ours = town.session, town.factory, people[0] == INITIATOR
    made: Initiative = factory.initiative(state, title=title, target_cents=5_250)
    town.ids[name] = made.id
    organisers = session.scalars(select(Organiser).where(Organiser.initiative_id == made.id).order_by(Organiser.id))
    for organiser, who, postcode in zip(organisers, people, POSTCODES if is_ours else THEIR_POSTCODES, strict=True):
        organiser.postcode = postcode
        if who is not None:
            account = town.accounts[who]
            organiser.account_id, organiser.email, organiser.name = account.id, account.email, account.name
    if is_ours:
        invited = town.accounts[INVITED]
        session.add(
            Organiser(
                initiative_id=made.id,
                account_id=invited.id,
                role="co_organiser",
                name=invited.name,
                email=invited.email,
                invited_at=factory.now,
                invitation_digest=digest(SECRET_KEY, "invitation", INVITATION) if name == "draft" else None,
            )
        )
    session.flush()
    written = content.content_of(session, made) | {"planning": "In mei."}
    if state == State.DRAFT:
        written |= {"rule_answers": dict.fromkeys(session.scalars(select(RuleQuestion.key)), "no")}
    else:
        session.add(
            Revision(initiative_id=made.id, number=1, kind="submitted", content=written, made_at=made.submitted_at)
        )
    if name in {"published", "their_open"}:  # a change that waits for the desk
        written |= {"title": f"Ander {title}"}
    session.add(
        Proposal(
            initiative_id=made.id,
            content=written,
            changed_in={},
            version=1,
            saved_at=factory.now,
            sent_at=factory.now if name in {"published", "their_open"} else None,
        )
    )
    session.flush()


def arrange_desk(town: Town) -> None:
    """What the desk decided, noted, was asked and wrote as a draft."""
    session, now = town.session, town.factory.now
    session.get_one(Initiative, town.ids["published"]).handler_id = town.accounts[OWN].id
    for whose, name in (("", "published"), ("their_", "theirs")):
        decision = Decision(
            initiative_id=town.ids[name],
            kind=DecisionKind.PUBLISH.value,
            reason="",
            desk_area_id=town.factory.area_id(HERE),
            decided_by_id=town.accounts[OWN].id,
            decided_at=now,
            mail_subject="Je initiatief is gepubliceerd",
            mail_text="Je initiatief is gepubliceerd.",
            recipient_ids=[],
            desk_recipient_ids=[],
        )
        session.add(decision)
        session.flush()
        town.ids[f"{whose}decision"] = decision.id
    submitted = town.ids["submitted"]
    session.add(DeskNote(initiative_id=submitted, author_id=town.accounts[OWN].id, text=NOTE, written_at=now))
    session.add(
        Message(
            initiative_id=submitted,
            side="organiser",
            author_id=town.accounts[INITIATOR].id,
            text="Wanneer horen we iets?",
            sent_at=now,
            recipient_ids=[],
        )
    )
    choice = Choice(kind=DecisionKind.REJECT, reason=DRAFT_REASON)
    writer = town.user(OWN)
    deciding.keep_draft(session, submitted, choice, user=writer, now=now)
    prepared = deciding.prepare(session, submitted, user=writer, rules=town.factory.rules, now=now)
    assert prepared is not None
    town.ids["shown"] = prepared.letter.digest


def arrange_announcements(town: Town) -> None:
    """News and an agenda of the desk here: as a draft, to come, and there for all."""
    now = town.factory.now
    for name, state, moment in (
        ("draft", "draft", None),
        ("coming", "published", now + dt.timedelta(days=3)),
        ("public", "published", now),
    ):
        both = {
            "area_id": town.factory.area_id(HERE),
            "title": f"Bericht {name}",
            "state": state,
            "publish_at": moment,
            "made_at": now,
            "changed_at": now,
        }
        starts_at = now + dt.timedelta(days=9)
        post = NewsPost(summary="Kort.", body="Lang.", **both)
        item = AgendaItem(place="Het plein", starts_at=starts_at, ends_at=starts_at + dt.timedelta(hours=2), **both)
        town.session.add_all([post, item])
        town.session.flush()
        town.ids[f"{name}_post"], town.ids[f"{name}_item"] = post.id, item.id
    town.ids["posted_seal"], town.ids["here"] = now.isoformat(), town.factory.area_id(HERE)


def _activity(town: Town, whose: str, initiative_id: int) -> None:
    starts_at = town.factory.now + dt.timedelta(days=9)
    activity = AgendaItem(
        area_id=town.session.get_one(Initiative, initiative_id).area_id,
        initiative_id=initiative_id,
        title="Koffie in de tuin",
        place="De tuin",
        starts_at=starts_at,
        ends_at=starts_at + dt.timedelta(hours=2),
        state="published",
        publish_at=town.factory.now,
        made_at=town.factory.now,
        changed_at=town.factory.now,
    )
    town.session.add(activity)
    town.session.flush()
    town.ids[f"{whose}activity"] = activity.id
    town.ids[f"{whose}activity_seal"] = activity.changed_at.isoformat()


def arrange_engagement(town: Town, whose: str) -> None:
    """Questions, help, updates, an activity and a gift, at ours or at theirs."""
    session, now, ids = town.session, town.factory.now, town.ids
    live = ids["their_open" if whose else "published"]
    author = town.accounts[OTHER if whose else INITIATOR]
    helper = town.accounts[HELPER]
    need = InitiativeNeed(initiative_id=live, position=1, kind="hands", description="Twee mensen met een schep")
    session.add(need)
    for name, state in (("update", "posted"), ("draft_update", "draft")):
        update = Update(
            initiative_id=live,
            author_id=author.id,
            state=state,
            title=f"Bericht {name}",
            body="We zijn begonnen.",
            saved_at=now,
            posted_at=now if state == "posted" else None,
            recipient_count=0 if state == "posted" else None,
        )
        session.add(update)
        session.flush()
        ids[f"{whose}{name}"] = update.id
    question = Post(initiative_id=live, voice="resident", author_id=helper.id, body="Wanneer is het?", posted_at=now)
    session.add(question)
    session.flush()
    ids[f"{whose}need"], ids[f"{whose}question"] = need.id, question.id
    _activity(town, whose, live)
    answer = Post(
        initiative_id=live,
        question_id=question.id,
        voice="organiser",
        author_id=author.id,
        body="In mei.",
        posted_at=now,
    )
    offer = HelpOffer(
        initiative_id=live,
        account_id=helper.id,
        kind="hands",
        need=need.description,
        state="offered",
        offered_at=now,
        contact_shared_at=now,
    )
    session.add_all([answer, offer])
    session.add(Report(post_id=question.id, reporter_id=town.accounts[RESIDENT].id, reason="Raar.", reported_at=now))
    session.flush()
    ids[f"{whose}answer"], ids[f"{whose}offer"] = answer.id, offer.id
    code = town.factory.fresh_codes(1)[0]
    details = GiftDetails(giver_email=GIVER_EMAIL)
    gift = town.factory.give(code, session.get_one(Initiative, live), details)
    assert gift is not None
    ids[f"{whose}receipt_reference"] = gift.reference
    ids[f"{whose}donation"] = session.scalars(select(func.max(Donation.id))).one()
    _pictures(town, whose)


def _pictures(town: Town, whose: str) -> None:
    ids = town.ids
    running, accounted = (ids["theirs"], None) if whose else (ids["running"], ids["accounted"])
    author = town.accounts[OTHER if whose else INITIATOR]
    ids[f"{whose}picture"] = _picture(town, ids[f"{whose}draft"], Purpose.INITIATIVE).id
    ids[f"{whose}live_picture"] = _picture(town, ids["their_open" if whose else "published"], Purpose.INITIATIVE).id
    live = ids["their_open" if whose else "published"]
    ids[f"{whose}update_picture"] = _picture(town, live, Purpose.UPDATE, ids[f"{whose}draft_update"]).id
    for name, initiative_id in (("", running), ("sent_", accounted)):
        if initiative_id is None:
            continue
        is_sent = name == "sent_"
        town.session.add(
            Accountability(
                initiative_id=initiative_id,
                state="submitted" if is_sent else "draft",
                story="Het ging goed.",
                saved_at=town.factory.now,
                saved_by_id=author.id,
                submitted_at=town.factory.now if is_sent else None,
            )
        )
        town.session.flush()
        lines = [
            CostLine(
                initiative_id=initiative_id, position=1, description="Bomen", planned_cents=1_500, actual_cents=1_500
            ),
            CostLine(initiative_id=initiative_id, position=2, description="Koffie", planned_cents=1_000),
            CostLine(initiative_id=initiative_id, position=3, description="Touw", actual_cents=300),
        ]
        town.session.add_all(lines)
        town.session.flush()
        receipt = _picture(town, initiative_id, Purpose.RECEIPT)
        town.session.add(CostReceipt(picture_id=receipt.id, cost_id=lines[0].id, file_name=RECEIPT_NAME))
        ids[f"{whose}{name}receipt"], ids[f"{whose}{name}receipt_key"] = receipt.id, receipt.key
        ids[f"{whose}{name}photo"] = _picture(town, initiative_id, Purpose.ACCOUNTABILITY).id
    town.session.flush()


def _picture(town: Town, initiative_id: int, purpose: Purpose, update_id: int | None = None) -> Picture:
    keep = kept_receipt if purpose == Purpose.RECEIPT else kept_picture
    with keep(town.app.extensions["file_store"], photo(300, 200)) as kept:
        return add_picture(
            town.session,
            kept,
            purpose=purpose,
            initiative_id=initiative_id,
            update_id=update_id,
            alt_text="" if purpose == Purpose.RECEIPT else "Een boom",
            uploaded_by_id=None,
            actor=TEST_ACTOR,
            now=town.factory.now,
        )
