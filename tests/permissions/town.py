# SPDX-License-Identifier: EUPL-1.2
"""A town in which everything exists once: people of every kind, and objects of some of them; and ways to try routes."""

from __future__ import annotations

import contextvars
import datetime as dt
import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import Connection, func, select, text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from abs_platform import clock
from abs_platform.accountability.models import Accountability, CostLine, CostReceipt
from abs_platform.accounts.models import (
    Absence,
    Account,
    AccountSession,
    DeskAssignment,
    Passkey,
    SignInRequest,
    StaffRole,
    VerifiedAddress,
)
from abs_platform.accounts.service import digest
from abs_platform.agenda.models import AgendaItem
from abs_platform.database import Base
from abs_platform.demo.bank_statement import daily_business, statement_file
from abs_platform.districts.models import StaffProfile
from abs_platform.donations.models import Donation
from abs_platform.donations.service import GiftDetails
from abs_platform.finance.models import FinanceTask
from abs_platform.finance.service import open_task
from abs_platform.finance.states import TaskKind
from abs_platform.help_offers.models import HelpOffer
from abs_platform.households.states import SkipReason
from abs_platform.initiatives import content
from abs_platform.initiatives.models import Initiative, InitiativeNeed, Organiser, Proposal, Revision
from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.job_runs import ScheduledJob
from abs_platform.ledger.models import LedgerTransaction
from abs_platform.letters.content import default_content
from abs_platform.letters.models import LetterText
from abs_platform.media.keeping import kept_picture, kept_receipt
from abs_platform.media.models import Picture, SitePicture
from abs_platform.media.service import add_picture
from abs_platform.media.states import Purpose
from abs_platform.moderation import deciding
from abs_platform.moderation.letters import Choice
from abs_platform.moderation.models import Decision, DeskNote, Message
from abs_platform.moderation.states import DecisionKind
from abs_platform.news.models import NewsPost
from abs_platform.objections.models import Objection
from abs_platform.outbox import OutgoingMail
from abs_platform.paper.models import EntryBatch
from abs_platform.paper.service import batch_for, let_wait, register_box
from abs_platform.payouts import approving
from abs_platform.payouts import service as payouts
from abs_platform.payouts.models import Payout, PayoutBatch
from abs_platform.payouts.service import BankDetails
from abs_platform.payouts.statements import take_in
from abs_platform.payouts.states import HolderKind
from abs_platform.questions.models import Post, Report
from abs_platform.replacements.models import ReplacementRequest
from abs_platform.rounds.models import Round
from abs_platform.rulebook.loading import load_file
from abs_platform.rulebook.models import RuleAdvice, RuleQuestion
from abs_platform.security import SEEN_AT
from abs_platform.site_texts.models import SiteTextVersion
from abs_platform.updates.models import Update
from abs_platform.users import Role, User
from abs_platform.vouchers.models import KeptVoucher
from abs_platform.work.service import order
from abs_platform.work.states import WorkKind
from tests.accounts.staff_helpers import add_app
from tests.factories import SECRET_KEY, TEST_ACTOR, Factory
from tests.letters_desk.runs import of_town as letters_of_town
from tests.media.pictures import photo
from tests.payouts.bank_desk import OUR_ACCOUNT, Desk

HERE, ELSEWHERE = "WK014119", "WK014118"
CSRF = "a csrf token for tests, of any length"
INVITATION = "a token of an invitation for tests"
SIGN_IN_LINK = "a token of a sign-in link for tests"
# Words that stand in one place only, so that a page that shows them tells where it got them.
DRAFT_REASON, NOTE, RECEIPT_NAME = "Geheim-concept-besluit", "Geheime-notitie", "geheime-bon.jpg"
PAYOUT_IBAN, HOLDER = "NL91ABNA0417164300", "Stichting Geheime Rekening"
GIVER_EMAIL, GIVER_NAME = "stille.gever@voorbeeld.example", "Gerda Stilstra"
POSTCODES, THEIR_POSTCODES = ("7617ZX", "7618ZY", "7619ZZ"), ("7605AX", "7605AY", "7605AZ")

ANONYMOUS = "anonymous"
RESIDENT, HELPER, OTHER, INVITED = "resident", "helper", "organiser of another", "invited"
INITIATOR, CO, TORN = "initiator", "co-organiser", "wijkregisseur who organises it"
OWN, STAND_IN, ELSEWHERE_MANAGER = "wijkregisseur", "stand-in", "wijkregisseur of another district"
COORDINATOR, FINANCE, FORMER = "coordinator", "finance", "former wijkregisseur"
AT_THE_DESK = "desk of a wijkcentrum"
PEOPLE = (
    *(ANONYMOUS, RESIDENT, HELPER, OTHER, INVITED, INITIATOR, CO, TORN),
    *(OWN, STAND_IN, ELSEWHERE_MANAGER, COORDINATOR, FINANCE, FORMER, AT_THE_DESK),
)


@dataclass
class Town:
    """People by kind, and the numbers of objects by name."""

    app: Flask
    connection: Connection
    session: Session
    factory: Factory
    accounts: dict[str, Account] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    ids: dict[str, Any] = field(default_factory=dict)
    before: dict[str, tuple[int, int]] = field(default_factory=dict)
    looked_at: tuple[int | None, dict[str, tuple[int, int]]] = (None, {})

    # -- people -------------------------------------------------------------------------------------------------------

    def account(self, who: str, email: str, name: str, roles: tuple[Role, ...] = (), desk: str = "") -> Account:
        """Somebody with a session."""
        made = self.factory.account(email, name=name, roles=roles, desks=(desk,) if desk else ())
        self.accounts[who] = made
        self.tokens[who] = self.factory.session_of(made, has_second_factor=bool(roles))
        return made

    def cookie(self, who: str, *, token: str | None = None, seen_at: int | None = None) -> str:
        """The cookie of somebody's browser, with the CSRF token of all forms here."""
        content_: dict[str, Any] = {"csrf_token": CSRF}
        if who != ANONYMOUS:
            moment = int(clock.now().timestamp()) if seen_at is None else seen_at
            content_ |= {"_user_id": token or self.tokens[who], "_fresh": True, SEEN_AT: moment}
        serializer = self.app.session_interface.get_signing_serializer(self.app)  # type: ignore[attr-defined]
        return f"session={serializer.dumps(content_)}"

    def csrf_field(self, of_cookie: str = CSRF) -> str:
        """What forms send beside that cookie."""
        return str(URLSafeTimedSerializer(SECRET_KEY, salt="wtf-csrf-token").dumps(of_cookie))

    def user(self, who: str) -> User:
        """Somebody as permissions see this person."""
        account = self.accounts[who]
        roles = select(StaffRole.role).where(StaffRole.account_id == account.id, StaffRole.ended_at.is_(None))
        desks = select(DeskAssignment.area_id).where(DeskAssignment.account_id == account.id)
        return User(
            account_id=account.id,
            email=account.email or "",
            name=account.name,
            roles=frozenset(map(Role, self.session.scalars(roles))),
            desk_area_ids=frozenset(self.session.scalars(desks)),
            has_second_factor=True,
        )

    # -- trying -------------------------------------------------------------------------------------------------------

    def send(
        self,
        who: str,
        method: str,
        path: str,
        data: Any = None,
        *,
        cookie: str | None = None,
        with_csrf: bool = True,
        **options: Any,
    ) -> TestResponse:
        """One request of somebody; follows nothing."""
        headers = {"Cookie": cookie or self.cookie(who), **options.pop("headers", {})}
        if method == "POST" and "json" not in options and not isinstance(data, str | bytes):
            sent = dict(data or {})
            if with_csrf:
                sent["csrf_token"] = self.csrf_field()
            options["data"] = {name: _fresh(value) for name, value in sent.items()}
        elif data is not None:
            options["data"] = data
        client = self.app.test_client(use_cookies=False)
        # In a context of its own: inside the test's app context it would share its session.
        return contextvars.Context().run(client.open, path, method=method, headers=headers, **options)

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Whatever happens inside is as if it never happened."""
        before = self.rows()
        savepoint = self.connection.begin_nested()
        try:
            yield
        finally:
            if savepoint.is_active:
                savepoint.rollback()
                self.looked_at = (self.connection.scalar(text(_WRITTEN)), before)

    def path(self, endpoint: str, **values: Any) -> str:
        """The address of a route."""
        return str(self.app.url_map.bind("localhost").build(endpoint, values))

    def rows(self) -> dict[str, tuple[int, int]]:
        """How many rows every table holds, and a checksum of all that is in them.

        Looked at anew only when the server counted a row that was written since.
        """
        written = self.connection.scalar(text(_WRITTEN))
        if written != self.looked_at[0]:
            found = self.connection.execute(text(_ALL_ROWS))  # a savepoint later it is gone
            self.looked_at = (written, {name: (count, int(checksum)) for name, count, checksum in found})
        return self.looked_at[1]


def _fresh(value: Any) -> Any:
    """Files are read once: each request gets one of its own."""
    return (io.BytesIO(value[0]), *value[1:]) if isinstance(value, tuple) and isinstance(value[0], bytes) else value


_WRITTEN = "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_xact_user_tables"
_ALL_ROWS = " UNION ALL ".join(
    f"SELECT '{name}', count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) FROM \"{name}\" t"
    for name in sorted(Base.metadata.tables)
)


# -- arranging ------------------------------------------------------------------------------------------------------


def arrange(app: Flask, connection: Connection, session: Session) -> Town:
    """The town, in the transaction of this connection."""
    factory = Factory(session, app.extensions["settings"].rules, app.extensions["code_keys"])
    town = Town(app, connection, session, factory)
    _people(town)
    _rules(town)
    for name, state in (
        ("draft", State.DRAFT),
        ("submitted", State.SUBMITTED),
        ("published", State.PUBLISHED),
        ("funded", State.FUNDED),
        ("running", State.IN_PROGRESS),
        ("accounted", State.IN_PROGRESS),
        ("realised", State.REALISED),
    ):
        _initiative(town, name, state, f"Ons plan {name}", (INITIATOR, CO, TORN))
    for name, state in (("theirs", State.IN_PROGRESS), ("their_draft", State.DRAFT), ("their_open", State.PUBLISHED)):
        _initiative(town, name, state, f"Hun plan {name}", (OTHER, None, None))
    _of_desk(town)
    for whose in ("", "their_"):
        _engagement(town, whose)
    _announcements(town)
    _accounts(town)
    _payouts(town)
    _bank(town)
    _books(town)
    _kept_voucher(town)
    _work(town)
    _paper(town)
    _objection(town)
    letters_of_town(town)
    session.commit()
    town.before = town.rows()
    return town


def _books(town: Town) -> None:
    open_task(town.session, TaskKind.DIFFERENCE, "town", now=town.factory.now, ours="Iets.", theirs="Iets anders.")
    town.ids["task"] = town.session.scalars(select(func.max(FinanceTask.id))).one()
    town.ids["transaction"] = town.session.scalars(select(func.max(LedgerTransaction.id))).one()
    town.ids["this_month"] = f"{clock.local_date(town.factory.now):%Y-%m}"


def _people(town: Town) -> None:
    manager, coordinator = (Role.DISTRICT_MANAGER,), (Role.COORDINATOR,)
    town.account(RESIDENT, "rita@voorbeeld.example", "Rita Bewoner")
    town.account(HELPER, "hana@voorbeeld.example", "Hana Helper")
    town.account(OTHER, "otto@voorbeeld.example", "Otto Ander")
    town.account(INVITED, "dora@voorbeeld.example", "Dora Gevraagd")
    town.account(INITIATOR, "anna@voorbeeld.example", "Anna Begin")
    town.account(CO, "bram@voorbeeld.example", "Bram Mee")
    town.account(TORN, "cem@voorbeeld.example", "Cem Dubbel", manager, HERE)
    town.account(OWN, "sanne@gemeente.example", "Sanne de Boer", manager, HERE)
    town.account(STAND_IN, "willem@gemeente.example", "Willem Vos", manager, ELSEWHERE)
    town.account(ELSEWHERE_MANAGER, "els@gemeente.example", "Els Bakker", manager, ELSEWHERE)
    town.account(COORDINATOR, "carla@gemeente.example", "Carla Smit", coordinator)
    town.account(FINANCE, "frits@gemeente.example", "Frits Vos", (Role.FINANCE,))
    town.account(AT_THE_DESK, "bea@gemeente.example", "Bea Balie", (Role.DESK,))
    former = town.account(FORMER, "fenna@gemeente.example", "Fenna Weg", manager, HERE)
    for role in town.session.scalars(select(StaffRole).where(StaffRole.account_id == former.id)):
        role.ended_at = town.factory.now
    today = clock.local_date(town.factory.now)
    absence = Absence(
        account_id=town.accounts[OWN].id,
        stand_in_id=town.accounts[STAND_IN].id,
        starts_on=today,
        ends_on=today + dt.timedelta(days=5),
    )
    town.session.add(absence)
    town.session.flush()
    town.ids["absence"] = absence.id


def _profile(town: Town) -> None:
    """How the wijkregisseur is introduced, with a picture."""
    size = {"width": 300, "height": 220, "widths": [300]}
    picture = SitePicture(key="ab" * 16, sha256=b"0" * 32, alt_text="Sanne", created_at=town.factory.now, **size)
    town.session.add(picture)
    town.session.flush()
    named = {"shown_name": "Sanne de Boer", "picture_id": picture.id, "changed_at": town.factory.now}
    town.session.add(StaffProfile(account_id=town.accounts[OWN].id, **named))


def _rules(town: Town) -> None:
    municipality = town.app.extensions["settings"].municipality
    load_file(town.session, municipality.rulebook_toml, municipality, actor=TEST_ACTOR, now=town.factory.now)
    town.ids["rule_question"] = town.session.scalars(select(RuleQuestion.id).order_by(RuleQuestion.id)).first()
    town.ids["rule_advice"] = town.session.scalars(select(RuleAdvice.id).order_by(RuleAdvice.id)).first()


def _work(town: Town) -> None:
    """Somebody asked for a job to be run, of a timetable with one job on it."""
    now, asked_by = town.factory.now, town.accounts[COORDINATOR].id
    town.session.add(ScheduledJob(job="check_ledger", schedule="elke nacht", seen_at=now))
    made = order(town.session, WorkKind.RUN_JOB, key="town", params={}, account_id=asked_by, now=now)
    town.ids["work_order"] = made.id
    sent = {"bag_name": "bag.csv", "key_name": "key.csv", "bag_sha256": "a", "key_sha256": "b", "edition": "2026-11"}
    looked = order(town.session, WorkKind.CHECK_ADDRESSES, key="town", params=sent, account_id=asked_by, now=now)
    counts = dict.fromkeys(("new", "back", "changed", "gone", "unchanged", "living", "rejected"), 0)
    skipped = {reason.value: 0 for reason in SkipReason}
    report = counts | {"variant": "full", "bag_edition": "2026-11", "key_edition": 2025, "skipped": skipped}
    report |= {"warnings": [], "max_gone_percent": 10}
    looked.result = {"report": report, "districts": [], "rejections": [], "fingerprint": ""}
    looked.state, looked.ended_at = "done", now
    town.ids["address_check"] = looked.id


def _kept_voucher(town: Town) -> None:
    """Rita keeps a voucher in her account."""
    voucher = town.factory.voucher(town.factory.fresh_codes(1)[0])
    voucher.state, voucher.kept_at, voucher.usable_until = (
        "kept",
        town.factory.now,
        town.factory.now + dt.timedelta(days=300),
    )
    kept_by = KeptVoucher(voucher_id=voucher.id, account_id=town.accounts[RESIDENT].id, kept_at=town.factory.now)
    town.session.add(kept_by)
    town.session.flush()
    town.ids["kept_voucher"] = voucher.id
    marked, gone = town.factory.households(2)
    gone.ended_on, gone.ended_by_hand_at = clock.local_date(town.factory.now), town.factory.now
    marked.mail_returned_at = town.factory.now
    town.session.flush()
    town.ids |= {"marked_household": marked.id, "marked_number": marked.house_number, "ended_household": gone.id}
    town.ids["round"] = voucher.round_id
    lost = town.factory.voucher(town.factory.fresh_codes(1)[0])
    asked = ReplacementRequest(
        round_id=lost.round_id,
        household_id=lost.household_id,
        neighbourhood_id=marked.neighbourhood_id,
        channel="online",
        asked_at=town.factory.now,
    )
    text_of_letter = LetterText(
        version=1,
        content=default_content(town.app.extensions["settings"].municipality).dump(),
        made_at=town.factory.now,
        approved_at=town.factory.now,
        approved_by_id=town.accounts[COORDINATOR].id,
    )
    shown = SiteTextVersion(page="over", language="nl", version=1, body="Van nu.", made_at=town.factory.now)
    town.session.add_all([asked, text_of_letter, shown])
    town.session.flush()
    town.ids["round_name"] = town.session.scalars(select(Round.name).where(Round.id == voucher.round_id)).one()
    day = dt.timedelta(days=1)
    town.ids["later"] = (clock.today() + 60 * day).isoformat()
    coming = town.factory.round(name="Volgend jaar", opens=200 * day, closes=240 * day, is_released=False)
    town.ids["coming_round"] = coming.id


def _initiative(town: Town, name: str, state: State, title: str, people: tuple[str | None, ...]) -> None:
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


def _of_desk(town: Town) -> None:
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


def _announcements(town: Town) -> None:
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


def _engagement(town: Town, whose: str) -> None:
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


def _accounts(town: Town) -> None:
    session, now = town.session, town.factory.now
    second = town.factory.session_of(town.accounts[RESIDENT], has_second_factor=False)
    wanted = digest(SECRET_KEY, "session", second)
    town.ids["session"] = session.scalars(select(AccountSession.id).where(AccountSession.token_digest == wanted)).one()
    passkey = Passkey(
        account_id=town.accounts[OWN].id,
        credential_id=b"credential",
        public_key=b"key",
        sign_count=0,
        name="Mijn sleutel",
        added_at=now,
    )
    session.add(passkey)
    add_app(session, town.accounts[OWN])
    session.add(
        VerifiedAddress(
            account_id=town.accounts[INITIATOR].id,
            neighbourhood_id=town.factory.area_id("BU01411900"),
            postcode=POSTCODES[0],
            house_number="1",
            verified_at=now,
        )
    )
    session.add(
        SignInRequest(
            email="rita@voorbeeld.example",
            token_digest=digest(SECRET_KEY, "sign-in link", SIGN_IN_LINK),
            code_digest=b"x",
            browser_digest=b"y",
            requested_at=now,
            expires_at=now + dt.timedelta(minutes=10),
        )
    )
    session.flush()
    town.ids["passkey"] = passkey.id
    town.ids["account"] = town.accounts[OWN].id
    town.ids["own_district"] = town.factory.area_id(HERE)
    _profile(town)
    town.ids["manager_elsewhere"] = town.accounts[ELSEWHERE_MANAGER].id
    town.ids["elsewhere"] = town.factory.area_id(ELSEWHERE)
    town.ids["seen"] = session.get_one(Accountability, town.ids["accounted"]).submitted_at.isoformat()
    town.ids["mail"] = session.scalars(select(func.max(OutgoingMail.id))).first()


def _payouts(town: Town) -> None:
    """One that waits at the desk, one at finance, one at the bank, and one of which a part was paid."""
    session, now, today = town.session, town.factory.now, clock.local_date(town.factory.now)
    for name, initiative in (
        ("payout", "funded"),
        ("confirmed_payout", "running"),
        ("exported_payout", "accounted"),
        ("paid_payout", "realised"),
    ):
        details = BankDetails(
            amount_cents=2_000, iban=PAYOUT_IBAN, holder_name=HOLDER, holder_kind=HolderKind.ORGANISATION
        )
        asked = {"user": town.user(INITIATOR), "secret_key": SECRET_KEY, "now": now}
        number = town.ids[name] = payouts.request(session, town.ids[initiative], details, **asked)
        if name != "payout":
            approving.confirm(session, number, version=1, user=town.user(OWN), now=now)
        if name in {"exported_payout", "paid_payout"}:
            approving.approve(session, number, version=1, user=town.user(FINANCE), now=now)
            payout = session.get_one(Payout, number)
            batch = PayoutBatch(
                message_id=f"TEST-{number}",
                state="released",
                payout_count=1,
                sum_cents=2_000,
                execution_on=today,
                sealed_file=b"-",
                sha256="0" * 64,
                made_at=now,
                made_by_id=town.accounts[FINANCE].id,
                released_at=now,
                released_by_id=town.accounts[FORMER].id,
            )
            session.add(batch)
            session.flush()
            payout.state, payout.batch_id = "exported", batch.id
            session.flush()
    approving.mark_paid(session, town.ids["paid_payout"], paid_on=today, actor=TEST_ACTOR, now=now)
    town.ids["today"] = today.isoformat()


def _bank(town: Town) -> None:
    """A file that waits for who did not make it, one that may go to the bank, and a statement."""
    desk = Desk(town.factory, {"Sanne": town.user(OWN), "Frits": town.user(FINANCE)})
    town.ids["made_batch"] = desk.made(desk.approved())
    town.ids["released_batch"] = desk.released(desk.approved())
    today = clock.local_date(town.factory.now)
    content = statement_file(
        [[line] for line in daily_business(today)], iban=OUR_ACCOUNT.iban, number="A1", created_at=town.factory.now
    )
    town.ids["statement"] = take_in(
        town.session, content, account=OUR_ACCOUNT, user=desk.user("Mia"), now=town.factory.now
    )


def _paper(town: Town) -> None:
    """A box, and a batch of codes that waits for the desk."""
    session, initiative_id, by = town.session, town.ids["published"], town.accounts[INITIATOR].id
    box = register_box(
        session, initiative_id, "Bakkerij Bos", "Markt 1", account_id=by, actor=TEST_ACTOR, now=town.factory.now
    )
    batch = session.get_one(EntryBatch, batch_for(session, initiative_id, by, box_id=box.id, now=town.factory.now))
    let_wait(session, batch, rules=town.factory.rules, actor=TEST_ACTOR, now=town.factory.now)
    session.flush()
    town.ids |= {"box": box.number, "entry_batch": batch.id}


def _objection(town: Town) -> None:
    """Somebody did not give the voucher that was given to what is published."""
    initiative = town.session.get_one(Initiative, town.ids["published"])
    gift = town.factory.give(town.factory.fresh_codes(1)[0], initiative)
    assert gift is not None
    made = Objection(donation_id=gift.donation_id, raised_at=town.factory.now)
    town.session.add(made)
    town.session.flush()
    town.ids["objection"] = made.id


def filled(values: Mapping[str, Any], ids: Mapping[str, Any]) -> dict[str, Any]:
    """Values, and names of fields, in which "{name}" stands for the number of an object."""

    def put(value: Any) -> Any:
        return _NAME.sub(lambda found: str(ids[found[1]]), value) if isinstance(value, str) else value

    return {put(name): put(value) for name, value in values.items()}


_NAME = re.compile(r"\{(\w+)\}")
