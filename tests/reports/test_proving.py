# SPDX-License-Identifier: EUPL-1.2
"""Whoever adds, removes, exchanges or moves a voucher after the issue is found out, and told in which batch."""

from __future__ import annotations

import os

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.cli import rounds as rounds_cli
from abs_platform.errors import NotFound
from abs_platform.reports.models import RoundProof
from abs_platform.reports.proving import Proof, prove
from abs_platform.rounds.models import Round
from abs_platform.vouchers.models import Voucher, VoucherBatch
from abs_platform.vouchers.service import revoke_voucher
from jobs import prove_rounds
from tests.cli.conftest import Shell, run_abs
from tests.factories import TEST_ACTOR, Factory
from tests.reports.town import give

__all__ = ["run_abs"]


@pytest.fixture
def round_(factory: Factory, monkeypatch: pytest.MonkeyPatch) -> Round:
    """A round of two batches, of which some vouchers were given and one was revoked."""
    for module in (rounds_cli, prove_rounds):
        monkeypatch.setattr(module, "one_snapshot", lambda _session: None)
    factory.households(12)
    round_ = factory.round()
    factory.issue(round_)
    factory.households(3)
    factory.issue(round_)
    give(factory, round_, {"BU01411900": 4})
    first = factory.session.scalars(select(Voucher.id).where(Voucher.state == "issued").order_by(Voucher.id)).first()
    assert first is not None
    revoke_voucher(factory.session, first, reason="Zoek.", actor=TEST_ACTOR, now=factory.now)
    factory.session.commit()
    return round_


def last_batch(session: Session, round_: Round) -> int:
    return session.scalars(
        select(VoucherBatch.id).where(VoucherBatch.round_id == round_.id).order_by(VoucherBatch.id)
    ).all()[-1]


def tamper(session: Session, round_: Round, how: str) -> None:
    batch = last_batch(session, round_)
    values = {"batch": batch, "round": round_.id, "nonce": os.urandom(16), "digest": os.urandom(16)}
    # The one who does this owns the database: no trigger of ours stands in the way.
    session.execute(text("SET LOCAL session_replication_role = replica"))
    for statement in TAMPERINGS[how].split(";"):
        session.execute(text(statement), values)
    session.execute(text("SET LOCAL session_replication_role = origin"))
    session.commit()


TAMPERINGS = {
    "one added": """
        INSERT INTO vouchers (round_id, batch_id, nonce, code_digest) VALUES (:round, :batch, :nonce, :digest)""",
    "one added and counted": """
        INSERT INTO vouchers (round_id, batch_id, nonce, code_digest) VALUES (:round, :batch, :nonce, :digest);
        UPDATE voucher_batches SET voucher_count = voucher_count + 1 WHERE id = :batch""",
    "one removed": "DELETE FROM vouchers WHERE id = (SELECT MAX(id) FROM vouchers WHERE batch_id = :batch)",
    "one exchanged": """
        UPDATE vouchers SET nonce = :nonce, code_digest = :digest
        WHERE id = (SELECT MAX(id) FROM vouchers WHERE batch_id = :batch)""",
    "two swapped": """
        CREATE TEMP TABLE swapped ON COMMIT DROP AS
            SELECT id, nonce, code_digest, ROW_NUMBER() OVER (ORDER BY id) AS place FROM vouchers
            WHERE batch_id = :batch ORDER BY id LIMIT 2;
        UPDATE vouchers v SET code_digest = substr(sha256(v.code_digest), 1, 16) FROM swapped s WHERE v.id = s.id;
        UPDATE vouchers v SET code_digest = o.code_digest, nonce = o.nonce
        FROM swapped s JOIN swapped o ON o.place = 3 - s.place WHERE v.id = s.id""",
    "one moved to the other batch": """
        UPDATE vouchers SET batch_id = (SELECT MIN(id) FROM voucher_batches WHERE round_id = :round)
        WHERE id = (SELECT MAX(id) FROM vouchers WHERE batch_id = :batch)""",
    "another seal": "UPDATE voucher_batches SET merkle_root = sha256('anders') WHERE id = :batch",
}


def faults(proof: Proof) -> str:
    return " ".join(proof.faults)


def test_a_round_that_nobody_touched_is_right(session: Session, round_: Round) -> None:
    proof = prove(session, round_.id)

    assert proof.faults == []
    assert [(one.said_count, one.count, one.is_right) for one in proof.batches] == [(12, 12, True), (3, 3, True)]
    assert (proof.issued, proof.states["given"], proof.states["revoked"], proof.states["issued"]) == (15, 4, 1, 10)
    assert proof.booked == {
        "uitgegeven": 15,
        "gegeven": 4,
        "verlopen": 0,
        "ingetrokken": 1,
        "nog te geven of bewaard": 10,
    }


@pytest.mark.parametrize("how", TAMPERINGS)
def test_whatever_is_changed_is_found_out_with_its_batch(session: Session, round_: Round, how: str) -> None:
    tamper(session, round_, how)

    proof = prove(session, round_.id)

    assert f"Partij {last_batch(session, round_)} heeft een ander zegel" in faults(proof)
    assert not proof.batches[-1].is_right


def test_a_batch_of_before_there_were_seals_is_named_as_such(session: Session, round_: Round, run_abs: Shell) -> None:
    session.execute(text("UPDATE voucher_batches SET merkle_root = NULL WHERE round_id = :id"), {"id": round_.id})
    session.commit()

    outcome = run_abs("rounds", "prove", round_.name)

    assert outcome.status == 0
    assert outcome.out.count("zonder zegel, van voor er zegels waren") == 2


def test_a_voucher_that_changed_its_state_behind_the_books_is_found_out(session: Session, round_: Round) -> None:
    session.execute(text("UPDATE vouchers SET state = 'expired' WHERE id = (SELECT MAX(id) FROM vouchers)"))
    session.commit()

    assert "zijn er 0 vouchers verlopen, in de ronde 1" in faults(prove(session, round_.id))


def test_a_round_that_is_not_there_is_not_proven(session: Session) -> None:
    with pytest.raises(NotFound):
        prove(session, 999_999)


def test_the_command_says_what_it_checked_and_changes_nothing(session: Session, round_: Round, run_abs: Shell) -> None:
    before = session.execute(text("SELECT COUNT(*), MAX(id) FROM events")).one()

    outcome = run_abs("rounds", "prove", round_.name)

    assert outcome.status == 0, outcome.err
    assert outcome.out.count("klopt") == 3
    assert "10 nog te geven + 4 gegeven + 0 bewaard + 0 verlopen + 1 ingetrokken = 15 uitgegeven" in outcome.out
    assert "Kasboek: 15 uitgegeven, 4 gegeven, 0 verlopen, 1 ingetrokken" in outcome.out
    assert session.execute(text("SELECT COUNT(*), MAX(id) FROM events")).one() == before
    assert session.scalars(select(RoundProof)).all() == []


def test_the_command_fails_on_a_round_that_was_changed_and_names_the_batch(
    session: Session, round_: Round, run_abs: Shell
) -> None:
    tamper(session, round_, "one exchanged")

    outcome = run_abs("rounds", "prove", round_.id)

    assert outcome.status == 1
    assert f"Partij {last_batch(session, round_)} heeft een ander zegel" in outcome.err
    assert "KLOPT NIET" in outcome.out
    assert "Alles klopt" not in outcome.out


def test_the_job_keeps_what_it_found_and_sounds_the_alarm(session: Session, round_: Round) -> None:
    assert prove_rounds.run(clock.now()).errors == []
    tamper(session, round_, "another seal")

    report = prove_rounds.run(clock.now())

    session.expire_all()
    assert session.get_one(RoundProof, round_.id).fault_count == 1
    assert len(report.errors) == 1
    assert "ander zegel" in report.errors[0]
