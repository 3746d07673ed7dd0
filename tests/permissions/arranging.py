# SPDX-License-Identifier: EUPL-1.2
"""Arranges the town: its people and what is theirs, and then all that they do."""

from __future__ import annotations

import datetime as dt

from flask import Flask
from sqlalchemy import Connection, func, select
from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.accountability.models import Accountability
from abs_platform.accounts.models import (
    Absence,
    AccountSession,
    Passkey,
    SignInRequest,
    StaffRole,
    VerifiedAddress,
)
from abs_platform.accounts.service import digest
from abs_platform.districts.models import StaffProfile
from abs_platform.households.states import SkipReason
from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.job_runs import ScheduledJob
from abs_platform.media.models import SitePicture
from abs_platform.outbox import OutgoingMail
from abs_platform.rulebook.loading import load_file
from abs_platform.rulebook.models import RuleAdvice, RuleQuestion
from abs_platform.users import Role
from abs_platform.work.service import order
from abs_platform.work.states import WorkKind
from tests.accounts.staff_helpers import add_app
from tests.factories import SECRET_KEY, TEST_ACTOR, Factory
from tests.letters_desk.runs import of_town as letters_of_town
from tests.permissions.arranging_initiatives import (
    arrange_announcements,
    arrange_desk,
    arrange_engagement,
    arrange_initiative,
)
from tests.permissions.arranging_money import (
    arrange_bank,
    arrange_books,
    arrange_kept_voucher,
    arrange_objection,
    arrange_paper,
    arrange_payouts,
)
from tests.permissions.town import (
    AT_THE_DESK,
    CO,
    COORDINATOR,
    ELSEWHERE,
    ELSEWHERE_MANAGER,
    FINANCE,
    FORMER,
    HELPER,
    HERE,
    INITIATOR,
    INVITED,
    OTHER,
    OWN,
    POSTCODES,
    RESIDENT,
    SIGN_IN_LINK,
    STAND_IN,
    TORN,
    Town,
)


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
        arrange_initiative(town, name, state, f"Ons plan {name}", (INITIATOR, CO, TORN))
    for name, state in (("theirs", State.IN_PROGRESS), ("their_draft", State.DRAFT), ("their_open", State.PUBLISHED)):
        arrange_initiative(town, name, state, f"Hun plan {name}", (OTHER, None, None))
    arrange_desk(town)
    for whose in ("", "their_"):
        arrange_engagement(town, whose)
    arrange_announcements(town)
    _accounts(town)
    arrange_payouts(town)
    arrange_bank(town)
    arrange_books(town)
    arrange_kept_voucher(town)
    _work(town)
    arrange_paper(town)
    arrange_objection(town)
    letters_of_town(town)
    session.commit()
    town.before = town.rows()
    return town


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
