# SPDX-License-Identifier: EUPL-1.2
"""Own data: all of it can be seen and downloaded, and it goes with the account; gifts stay, names go."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Text, func, select, text
from sqlalchemy.orm import Session

from abs_platform import clock, model_registry, outbox
from abs_platform.accounts import service
from abs_platform.accounts.leaving import delete_account
from abs_platform.accounts.models import (
    Absence,
    Account,
    AccountSession,
    DeskAssignment,
    OidcIdentity,
    Passkey,
    RecoveryCode,
    SignInRequest,
    StaffRole,
    TotpDevice,
    VerifiedAddress,
)
from abs_platform.accounts.own_data import LABELS, PARTS, Person, all_data, rows_of
from abs_platform.accounts.service import SignedIn
from abs_platform.actors import Actor
from abs_platform.database import Base
from abs_platform.donations.models import Donation
from abs_platform.donations.service import GiftDetails
from abs_platform.errors import Conflict
from abs_platform.events import Event
from abs_platform.initiatives.models import Initiative, Organiser, Proposal
from abs_platform.initiatives.organisers import LIVING_STATES
from abs_platform.initiatives.states import InitiativeState
from abs_platform.initiatives.submitting import submit
from abs_platform.ledger.queries import check
from abs_platform.outbox import OutgoingMail
from abs_platform.users import Role
from jobs import purge_personal_data
from tests.accounts.mailbox import ask, newest_mail, sign_in
from tests.concurrency.racing import at_once, committed, meanwhile, wait_until_blocked
from tests.factories import SECRET_KEY, TEST_ACTOR, Factory
from tests.page import Browser

assert model_registry
RIET = "riet@voorbeeld.example"
NAME = "Riet van den Oudsherkenbaar"
# Columns with something like a person in them that is not one of ours, or not one to show.
NOT_OF_AN_ACCOUNT = {
    "staff_profiles.email": "what a wijkregisseur shows, in a row of her account",
    "address_imports.actor": "a command, run by whoever has the machine",
    "print_files.actor": "a command, run by whoever has the machine",
}
TODAY = clock.today()
ORGANISER = Actor("organiser", "1")


def points_at_a_person(column: Any) -> bool:
    """Whether a column says who somebody is."""
    is_account = any(key.column.table.name == "accounts" for key in column.foreign_keys)
    is_address = isinstance(column.type, Text) and ("email" in column.name or column.name in {"recipient", "actor"})
    return is_account or is_address


def test_every_column_that_says_who_somebody_is_stands_in_the_list_of_own_data() -> None:
    listed = {f"{part.table}.{name}" for part in PARTS for name in part.whose}
    found = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if points_at_a_person(column)
    }

    assert found - listed - set(NOT_OF_AN_ACCOUNT) == {"accounts.email"}  # listed by its number
    assert set(NOT_OF_AN_ACCOUNT) <= found


def test_what_the_list_names_is_there_and_has_a_word_of_its_own(session: Session) -> None:
    for part in PARTS:
        rows_of(session, part, Person(1, RIET))
        words = [str(LABELS[name]) for name in part.shows]
        assert len(words) == len(set(words)), f"{part.label}: one word twice"
    assert len({str(part.label) for part in PARTS}) == len(PARTS)
    shown = {name for part in PARTS for name in part.shows} | {"initiative", "area"}
    assert set(LABELS) == shown, "a word that nobody uses"


@pytest.fixture
def riet(session: Session, factory: Factory) -> Account:
    """Somebody who did everything that a resident can do."""
    account = factory.account(RIET, name=NAME)
    initiative = factory.initiative(InitiativeState.REALISED, target_cents=5_000)
    organiser = session.scalars(
        select(Organiser).where(Organiser.initiative_id == initiative.id, Organiser.role == "initiator")
    ).one()
    organiser.email, organiser.name, organiser.account_id = RIET, NAME, account.id
    session.add(
        VerifiedAddress(
            account_id=account.id,
            neighbourhood_id=factory.area_id("BU01411900"),
            postcode="7609AB",
            house_number="12a",
            verified_at=factory.now,
        )
    )
    session.add(
        Proposal(initiative_id=initiative.id, content={"title": "Plan"}, saved_at=factory.now, saved_by_id=account.id)
    )
    (code,) = factory.fresh_codes(1)
    factory.give(code, factory.initiative(), GiftDetails(giver_name=NAME, message="Hup!", giver_email=RIET))
    outbox.queue(session, "sign_in", to=RIET, event="test:1", now=factory.now, code="1", token="x", minutes=10)
    session.commit()
    return account


def signed_in(browser: Browser, factory: Factory, account: Account) -> Browser:
    token = factory.session_of(account)
    factory.session.commit()
    return browser.sign_in(token)


def living(session: Session) -> int:
    return session.scalar(select(func.count()).where(AccountSession.ended_at.is_(None))) or 0


def places_of(session: Session, needle: str) -> list[str]:
    """Every column of the database in which a text stands."""
    found = []
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            query = text(f'SELECT count(*) FROM "{table.name}" WHERE "{column.name}"::text ILIKE :needle')
            if session.scalar(query, {"needle": f"%{needle}%"}):
                found.append(f"{table.name}.{column.name}")
    return found


class TestSeeing:
    """What we keep can be seen and taken along."""

    def test_the_page_shows_what_there_is_of_this_person(
        self, factory: Factory, riet: Account, browser_client: Browser
    ) -> None:
        page = signed_in(browser_client, factory, riet).get("/account/gegevens")

        for shown in (RIET, NAME, "7609AB", "12a", "initiatiefnemer", "Hup!", "Bomen voor het plein", "Groeneveld"):
            assert shown in page.text
        assert "Je rollen" not in page.text

    def test_the_download_is_whole(self, factory: Factory, riet: Account, browser_client: Browser) -> None:
        browser = signed_in(browser_client, factory, riet)

        answer = browser._send("GET", "/account/gegevens.json")

        data = json.loads(answer.get_data())
        assert answer.headers["Content-Disposition"] == 'attachment; filename="mijn-gegevens.json"'
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.content_type.startswith("application/json")
        assert data["Je account"][0]["E-mailadres"] == RIET
        assert data["Je bevestigde adres"][0]["Gebied"] == "Groeneveld"
        assert data["Initiatieven die je organiseert"][0]["Naam"] == NAME
        assert data["Wat je aan het schrijven bent"][0]["Inhoud"] == {"title": "Plan"}
        assert data["Giften waarbij je om nieuws vroeg"][0]["Bericht"] == "Hup!"
        assert len(data["Waar je bent ingelogd"]) == 1
        assert len(data["Mails aan jou"]) == 1

    def test_nothing_of_anybody_else_is_in_it(self, factory: Factory, riet: Account, browser_client: Browser) -> None:
        other = factory.account("buur@voorbeeld.example", name="Buur")
        data = signed_in(browser_client, factory, other)._send("GET", "/account/gegevens.json").get_data(as_text=True)

        assert riet.id != other.id
        assert NAME not in data
        assert RIET not in data
        assert set(json.loads(data)) == {"Je account", "Waar je bent ingelogd"}

    def test_neither_codes_nor_digests_nor_gifts_of_vouchers_are_in_it(
        self, session: Session, factory: Factory, riet: Account
    ) -> None:
        gift = session.scalars(select(Donation).where(Donation.giver_email == RIET)).one()

        dumped = json.dumps([rows for _part, rows in all_data(session, Person(riet.id, RIET))], default=str)

        assert gift.reference not in dumped
        assert "digest" not in dumped
        assert "voucher_id" not in dumped
        assert factory.now.isoformat()[:10] in dumped

    def test_it_is_for_who_is_signed_in(self, browser_client: Browser) -> None:
        for path in ("/account/gegevens", "/account/gegevens.json", "/account/verwijderen"):
            assert browser_client._send("GET", path).location.startswith("/inloggen?volgende=")


class TestTheName:
    """How others see this person."""

    def test_it_can_be_changed(
        self, session: Session, factory: Factory, riet: Account, browser_client: Browser
    ) -> None:
        browser = signed_in(browser_client, factory, riet)

        page = browser.submit(browser.get("/account/gegevens"), "/account/gegevens", name="  Riet\u0007   Oud ")

        assert "Je naam is bewaard" in page.text
        session.refresh(riet)
        assert riet.name == "Riet Oud"

    @pytest.mark.parametrize("path", ["/account/gegevens", "/account/welkom"])
    @pytest.mark.parametrize("typed", ["", " \t\x00 ", "r" * 81])
    def test_what_is_no_name_comes_back_with_a_sentence(
        self, factory: Factory, riet: Account, browser_client: Browser, path: str, typed: str
    ) -> None:
        browser = signed_in(browser_client, factory, riet)

        page = browser.submit(browser.get(path), path, status=422, name=typed)

        assert page.one("#name").attrs["aria-invalid"] == "true"
        assert page.field("name") == typed.strip(" \t\x00")

    def test_a_name_is_shown_as_it_is_and_never_as_html(
        self, factory: Factory, riet: Account, browser_client: Browser
    ) -> None:
        browser = signed_in(browser_client, factory, riet)

        page = browser.submit(browser.get("/account/gegevens"), "/account/gegevens", name="<b>Riet</b> & co")
        home = browser.get("/account")

        assert page.field("name") == "<b>Riet</b> & co"
        assert "<b>Riet</b> & co" in home.text
        assert not home.all("h1 b")


class TestOwnInitiatives:
    """The first page of an account says what there is to do."""

    @pytest.mark.parametrize("state", list(InitiativeState))
    def test_an_initiative_is_there_in_every_state(
        self, session: Session, factory: Factory, browser_client: Browser, state: InitiativeState
    ) -> None:
        initiative = factory.initiative(state, target_cents=5_000, title="Een bankje")
        email = session.scalars(
            select(Organiser.email).where(Organiser.initiative_id == initiative.id, Organiser.role == "initiator")
        ).one()

        page = signed_in(browser_client, factory, factory.account(email)).get("/account")

        row = page.one(".abs-account-initiative").to_text()
        assert "Een bankje" in row
        assert state.label in row
        assert len(" ".join(row.split())) > len(f"Een bankje {state.label} Jij bent initiatiefnemer.") + 10

    def test_who_was_asked_but_did_not_answer_reads_where_to(
        self, session: Session, factory: Factory, browser_client: Browser
    ) -> None:
        initiative = factory.initiative(InitiativeState.DRAFT)
        asked = session.scalars(select(Organiser).where(Organiser.initiative_id == initiative.id)).all()[1]
        asked.confirmed_at = None

        page = signed_in(browser_client, factory, factory.account(asked.email)).get("/account")

        assert "Open de mail met de uitnodiging" in page.text

    def test_signing_in_ties_an_organiser_to_the_account(
        self, session: Session, factory: Factory, browser_client: Browser
    ) -> None:
        initiative = factory.initiative()
        anna = session.scalars(select(Organiser).where(Organiser.initiative_id == initiative.id)).first()
        assert anna is not None
        session.commit()

        sign_in(browser_client, session, anna.email)

        session.refresh(anna)
        assert anna.account_id == session.scalars(select(Account.id)).one()
        others = session.scalars(select(Organiser.account_id).where(Organiser.id != anna.id)).all()
        assert set(others) == {None}


class TestLeaving:
    """Deleting an account."""

    def test_the_page_says_what_goes_and_what_stays(
        self, factory: Factory, riet: Account, browser_client: Browser
    ) -> None:
        page = signed_in(browser_client, factory, riet).get("/account/verwijderen")

        goes, later, stays = (section.to_text() for section in page.all(".abs-account-fates section"))
        assert "Je bevestigde adres" in goes
        assert "Mails aan jou" in later
        assert "Initiatieven die je organiseert" in stays
        assert "Giften" in stays

    def test_the_name_and_the_address_are_nowhere_afterwards(
        self, session: Session, factory: Factory, riet: Account, browser_client: Browser
    ) -> None:
        browser = signed_in(browser_client, factory, riet)
        gifts = session.scalar(select(func.count(Donation.id)))
        assert set(places_of(session, RIET)) == {
            "accounts.email", "organisers.email", "donations.giver_email", "outgoing_mails.recipient",
        }  # fmt: skip
        assert len(places_of(session, NAME)) == 3

        goodbye = browser.submit(browser.get("/account/verwijderen"), "/account/verwijderen")

        assert goodbye.path == "/account/verwijderd"
        session.expire_all()
        assert places_of(session, RIET) == ["outgoing_mails.recipient"]
        assert places_of(session, NAME) == []
        assert (riet.email, riet.name, riet.deleted_at is not None) == (None, "", True)
        assert (session.scalar(select(func.count(Donation.id))), check(session)) == (gifts, [])
        assert browser._send("GET", "/account").status_code == 302
        assert living(session) == 0
        event = session.scalars(select(Event).where(Event.kind == "account.deleted")).one()
        assert (event.subject_id, event.actor) == (riet.id, f"organiser:{riet.id}")

    def test_the_mails_go_within_a_month(self, session: Session, factory: Factory, riet: Account) -> None:
        delete_account(session, riet.id, actor=ORGANISER, now=factory.now)
        for mail in session.scalars(select(OutgoingMail)):
            mail.state, mail.due_at, mail.sent_at, mail.transport = "sent", None, factory.now, "smtp"
        session.commit()

        purge_personal_data.run(factory.now.replace(year=factory.now.year + 1))

        session.expire_all()
        assert places_of(session, RIET) == []

    def test_of_an_initiative_that_ended_the_address_goes_too(
        self, session: Session, factory: Factory, riet: Account
    ) -> None:
        delete_account(session, riet.id, actor=ORGANISER, now=factory.now)
        session.expire_all()

        left = session.scalars(select(Organiser).where(Organiser.account_id == riet.id)).one()
        assert (left.name, left.email) == ("Oud-organisator", f"oud-organisator-{left.id}@account.invalid")
        assert (left.postcode, left.house_number, left.is_name_public) == (None, None, False)
        assert left.confirmed_at is not None
        assert not outbox.queue(
            session, "sign_in", to=left.email, event="test:2", now=factory.now, code="1", token="x", minutes=10
        )

    def test_of_one_that_lives_the_address_stays_until_it_ends(
        self, session: Session, factory: Factory, riet: Account
    ) -> None:
        initiative = factory.initiative(InitiativeState.PUBLISHED)
        co_organiser = session.scalars(
            select(Organiser).where(Organiser.initiative_id == initiative.id, Organiser.role == "co_organiser")
        ).first()
        assert co_organiser is not None
        co_organiser.email = RIET
        session.flush()

        delete_account(session, riet.id, actor=ORGANISER, now=factory.now)
        session.commit()

        session.refresh(co_organiser)
        assert (co_organiser.name, co_organiser.postcode) == ("Oud-organisator", "7609AB")
        purge_personal_data.run(factory.now)
        session.refresh(co_organiser)
        assert co_organiser.postcode == "7609AB"
        session.get_one(Initiative, initiative.id).state = InitiativeState.EXPIRED.value
        session.commit()
        purge_personal_data.run(factory.now)
        session.refresh(co_organiser)
        assert (co_organiser.postcode, co_organiser.house_number) == (None, None)

    @pytest.mark.parametrize("state", [InitiativeState.DRAFT, InitiativeState.CHANGES_REQUESTED])
    def test_before_it_is_sent_who_leaves_does_not_count_any_more(
        self, session: Session, factory: Factory, riet: Account, state: InitiativeState
    ) -> None:
        initiative = factory.initiative(state)
        co_organiser = session.scalars(
            select(Organiser).where(Organiser.initiative_id == initiative.id, Organiser.role == "co_organiser")
        ).first()
        assert co_organiser is not None
        co_organiser.email = RIET
        session.flush()

        delete_account(session, riet.id, actor=ORGANISER, now=factory.now)

        session.refresh(co_organiser)
        assert co_organiser.confirmed_at is None
        assert co_organiser.declined_at == factory.now
        assert co_organiser.postcode is None

    @pytest.mark.parametrize("state", list(InitiativeState))
    def test_who_began_what_still_lives_stays(
        self, session: Session, factory: Factory, browser_client: Browser, state: InitiativeState
    ) -> None:
        initiative = factory.initiative(state, target_cents=5_000, title="Een bankje")
        email = session.scalars(
            select(Organiser.email).where(Organiser.initiative_id == initiative.id, Organiser.role == "initiator")
        ).one()
        account = factory.account(email)
        browser = signed_in(browser_client, factory, account)
        is_living = state in LIVING_STATES

        page = browser.submit(
            browser.get("/account/verwijderen"), "/account/verwijderen", status=409 if is_living else 200
        )

        session.refresh(account)
        assert (account.email is not None) == is_living
        assert ("Trek het eerst in" in page.text) == is_living
        assert ("Een bankje" in page.text) == is_living

    def test_staff_hand_over_first_and_then_everything_of_staff_goes(
        self, session: Session, factory: Factory, browser_client: Browser
    ) -> None:
        staff = factory.account("wim@voorbeeld.example", roles=(Role.DISTRICT_MANAGER,), desks=("WK014119",))
        session.add_all(
            [
                TotpDevice(account_id=staff.id, secret=b"s", added_at=factory.now),
                Passkey(
                    account_id=staff.id, credential_id=b"c", public_key=b"k", sign_count=0, name="Sleutel",
                    added_at=factory.now,
                ),
                RecoveryCode(account_id=staff.id, code_digest=b"d"),
                OidcIdentity(account_id=staff.id, issuer="https://x.example", subject="wim"),
                Absence(
                    account_id=staff.id, stand_in_id=factory.account().id, starts_on=TODAY, ends_on=TODAY,
                ),
            ]
        )  # fmt: skip
        browser = signed_in(browser_client, factory, staff)

        refused = browser.submit(browser.get("/account/verwijderen"), "/account/verwijderen", status=409)
        assert "Vraag de beheerder" in refused.text
        assert session.scalar(select(func.count(Passkey.id))) == 1
        session.scalars(select(StaffRole)).one().ended_at = factory.now
        session.commit()
        browser.submit(refused, "/account/verwijderen")

        for model in (TotpDevice, Passkey, RecoveryCode, OidcIdentity, Absence, DeskAssignment):
            assert session.scalar(select(func.count()).select_from(model)) == 0, model
        assert session.scalar(select(func.count(StaffRole.id))) == 1

    def test_who_comes_back_is_somebody_new(
        self, session: Session, factory: Factory, riet: Account, browser_client: Browser
    ) -> None:
        delete_account(session, riet.id, actor=ORGANISER, now=factory.now)
        session.commit()

        sign_in(browser_client, session, RIET)
        page = browser_client.get("/account/gegevens")

        assert session.scalars(select(Account.id).where(Account.email == RIET)).one() != riet.id
        assert "7609AB" not in page.text
        assert "Oud-organisator" not in page.text

    def test_a_form_without_a_token_deletes_nothing(
        self, session: Session, factory: Factory, riet: Account, browser_client: Browser
    ) -> None:
        signed_in(browser_client, factory, riet).post("/account/verwijderen", {}, status=400)

        session.refresh(riet)
        assert riet.email == RIET


def leave(app: Flask, account_id: int) -> Any:
    return committed(app, lambda db: delete_account(db, account_id, actor=TEST_ACTOR, now=clock.now()))


class TestLeavingAtTheSameMoment:
    """Two at once, and somebody who signs in just then."""

    def test_deleting_four_times_at_once_deletes_once(
        self, own_app: Flask, own_session: Session, own_factory: Factory
    ) -> None:
        account_id = own_factory.account(RIET).id
        own_session.commit()

        results = at_once([leave(own_app, account_id)] * 4)

        assert sorted(results) == [False, False, False, True]
        deleted = own_session.scalars(select(Event).where(Event.kind == "account.deleted")).all()
        assert len(deleted) == 1

    def test_who_signs_in_while_it_is_being_deleted_is_signed_in_as_somebody_new(
        self, own_app: Flask, own_session: Session, own_factory: Factory
    ) -> None:
        old_id = own_factory.account(RIET).id
        own_session.commit()
        sign_in_now = prepared_sign_in(own_app, own_session)
        delete_account(own_session, old_id, actor=TEST_ACTOR, now=clock.now())

        with meanwhile(committed(own_app, sign_in_now)) as signing_in:
            wait_until_blocked(own_session)
            own_session.commit()

        result = signing_in.result()
        # The mail was of the account that is gone: either it is worth nothing now, or it made a new account.
        living_id = own_session.scalar(select(Account.id).where(Account.email == RIET))
        sessions = own_session.scalars(select(AccountSession.account_id).where(AccountSession.ended_at.is_(None))).all()
        assert list(sessions) == ([living_id] if isinstance(result, SignedIn) else [])
        assert old_id not in sessions

    def test_who_deletes_while_signing_in_elsewhere_is_signed_in_nowhere(
        self, own_app: Flask, own_session: Session, own_factory: Factory
    ) -> None:
        account_id = own_factory.account(RIET).id
        own_session.commit()
        assert isinstance(prepared_sign_in(own_app, own_session)(own_session), SignedIn)

        with meanwhile(leave(own_app, account_id)) as leaving:
            wait_until_blocked(own_session)
            own_session.commit()

        assert leaving.result() is True
        assert living(own_session) == 0
        assert own_session.scalar(select(func.count(SignInRequest.id))) == 0

    def test_signing_in_and_deleting_all_at_once_never_leaves_a_session_of_nobody(
        self, own_app: Flask, own_session: Session, own_factory: Factory
    ) -> None:
        account_id = own_factory.account(RIET).id
        own_session.commit()
        works: list[Any] = [leave(own_app, account_id), leave(own_app, account_id)]
        works += [committed(own_app, prepared_sign_in(own_app, own_session)) for _ in range(4)]

        at_once(works)

        ended = select(AccountSession.id).join(Account, Account.id == AccountSession.account_id)
        nobodys = ended.where(Account.deleted_at.is_not(None), AccountSession.ended_at.is_(None))
        assert own_session.scalars(nobodys).all() == []
        assert own_session.get_one(Account, account_id).deleted_at is not None

    def test_nothing_is_sent_with_somebody_who_left_among_the_three(
        self, own_app: Flask, own_session: Session, own_factory: Factory
    ) -> None:
        account_id = own_factory.account(RIET).id
        initiative_id = own_factory.initiative(InitiativeState.DRAFT).id
        of_it = select(Organiser).where(Organiser.initiative_id == initiative_id)
        own_session.scalars(of_it.order_by(Organiser.id.desc())).first().email = RIET
        own_session.commit()

        def send(db: Session) -> None:
            submit(db, initiative_id, rules=own_factory.rules, actor=TEST_ACTOR, now=clock.now())

        with own_app.app_context(), Session(own_session.get_bind()) as other:
            send(other)
            with meanwhile(leave(own_app, account_id)) as leaving:
                wait_until_blocked(own_session)
                other.commit()

        assert leaving.result() is True
        own_session.rollback()
        confirmed = own_session.scalars(of_it.where(Organiser.confirmed_at.is_not(None))).all()
        assert (len(confirmed), own_session.get_one(Initiative, initiative_id).state) == (3, "submitted")


def prepared_sign_in(app: Flask, session: Session) -> Any:
    """A mail that was asked for, and the verb that signs in with its code."""
    browser = Browser(app)
    ask(browser, RIET)
    code = newest_mail(session, RIET).code
    with browser.client.session_transaction() as cookie:
        request_id, secret = cookie["sign_in_request"], cookie["sign_in_browser"]
    session.rollback()

    def verb(db: Session) -> Any:
        return service.sign_in_by_code(
            db, request_id, code, secret, user_agent="test", secret_key=SECRET_KEY, now=clock.now()
        )

    return verb


def test_the_account_of_a_deleted_name_cannot_be_changed(session: Session, factory: Factory) -> None:
    account = factory.account(RIET)
    delete_account(session, account.id, actor=ORGANISER, now=factory.now)

    with pytest.raises(Conflict):
        service.change_name(session, account.id, "Nieuw")
