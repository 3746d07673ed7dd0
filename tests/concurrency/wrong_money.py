# SPDX-License-Identifier: EUPL-1.2
"""Payments and payouts that cannot be: for each rule of their tables a statement that breaks it and nothing else."""

from __future__ import annotations

from sqlalchemy import func, select

from abs_platform.clock import local_date
from abs_platform.demo.bank_statement import BankLine, statement_file
from abs_platform.donations.models import Donation
from abs_platform.finance.service import open_task
from abs_platform.finance.states import TaskKind
from abs_platform.initiatives.states import InitiativeState
from abs_platform.objections.models import Objection
from abs_platform.payouts import returning, service, statements
from abs_platform.payouts.states import HolderKind
from tests.factories import SECRET_KEY, Factory
from tests.payments.gifts import begin, book, checkout
from tests.payouts.bank_desk import OUR_ACCOUNT, THEIR_IBAN, Desk

PAYMENT_TABLES = ("payments", "provider_events", "provider_entries", "finance_tasks")
PAYOUT_TABLES = ("payouts", "payout_batches", "bank_statements", "statement_lines", "unspent_returns", "objections")

_PAID = "UPDATE payments SET {} WHERE id = lowest('payments')"
_CREATED = "UPDATE payments SET {} WHERE state = 'created'"
_ALL = "UPDATE payments SET {}"
_REQUESTED = "UPDATE payouts SET {} WHERE state = 'requested'"
_EXPORTED = "UPDATE payouts SET {} WHERE state = 'exported'"
_OBJECTION = "UPDATE objections SET {}"
_TASK = "UPDATE finance_tasks SET {} WHERE id = lowest('finance_tasks')"
_MADE = "UPDATE payout_batches SET {} WHERE id = lowest('payout_batches')"
_BATCH = """
    INSERT INTO payout_batches (message_id, state, payout_count, sum_cents, execution_on, sealed_file, sha256, made_at,
                                made_by_id)
    SELECT {message}, 'made', {count}, sum_cents, execution_on, sealed_file, {sha256}, made_at, made_by_id
    FROM payout_batches WHERE id = lowest('payout_batches')"""
_NEW_BATCH = {"message": "'X'", "count": "1", "sha256": "sha256"}
_LINE = """
    INSERT INTO statement_lines (statement_id, bank_reference, end_to_end_id, amount_cents, is_credit, booked_on,
                                 outcome)
    SELECT statement_id, {reference}, end_to_end_id, {cents}, is_credit, booked_on, {outcome} FROM statement_lines"""
_NEW_LINE = {"reference": "'X'", "cents": "1", "outcome": "'differs'"}
_RETURN = """
    INSERT INTO unspent_returns (initiative_id, amount_cents, received_on, note, booked_at, booked_by_id, form_key)
    SELECT initiative_id, {cents}, received_on, {note}, booked_at, booked_by_id, {key} FROM unspent_returns"""
_NEW_RETURN = {"cents": "1", "note": "''", "key": "'X'"}
_BOOKED = """
    INSERT INTO ledger_transactions (kind, booked_at, payout_id, external_id)
    SELECT kind, booked_at, {payout}, {external} FROM ledger_transactions WHERE kind = '{kind}'"""

BREACHES: dict[str, str] = {
    "ck_donations_organisation_gives_money": (
        "UPDATE donations SET is_organisation = true WHERE id = lowest('donations')"
    ),
    "uq_ledger_transactions_once_per_payout": _BOOKED.format(kind="payout_paid", payout="payout_id", external="NULL"),
    "uq_ledger_transactions_once_per_external_id": _BOOKED.format(
        kind="unspent_returned", payout="NULL", external="external_id"
    ),
    "ck_payments_state_known": _PAID.format("state = 'lost'"),
    "ck_payments_refund_reason_known": _PAID.format("refund_reason = 'angry'"),
    "ck_payments_amount_positive": _CREATED.format("amount_cents = 0"),
    "ck_payments_paid_at_when_paid": _PAID.format("paid_at = NULL"),
    "ck_payments_reason_when_refunded": _PAID.format("state = 'refund_pending'"),
    "ck_payments_dispute_known": _PAID.format("state = 'disputed', disputed_cents = 1"),
    "ck_payments_borne_when_back": _CREATED.format("is_borne = true"),
    "ck_payments_never_more_back_than_paid": _PAID.format("returned_cents = amount_cents + 1"),
    "ck_payments_all_back_when_back": _PAID.format(
        "state = 'refunded', refund_reason = 'late', returned_cents = amount_cents - 1"
    ),
    "ck_payments_disputed_cents_when_disputed": _PAID.format("disputed_cents = 1"),
    "ck_payments_refund_attempt_not_negative": _PAID.format("refund_attempt = -1"),
    "uq_payments_donation_id": _ALL.format("donation_id = lowest('donations')"),
    "uq_payments_voucher_donation_id": _ALL.format("voucher_donation_id = lowest('donations')"),
    "uq_payments_checkout_id": _ALL.format("checkout_id = 'cs_one'"),
    "uq_payments_intent_id": _ALL.format("intent_id = 'pi_one'"),
    "uq_payments_charge_id": _ALL.format("charge_id = 'ch_one'"),
    "uq_payments_refund_id": _ALL.format("refund_id = 're_one'"),
    "uq_payments_dispute_id": _ALL.format("dispute_id = 'du_one'"),
    "ck_provider_events_outcome_known": """
        INSERT INTO provider_events (id, type, created_at, received_at, outcome)
        VALUES ('evt_1', 'refund.created', now(), now(), 'lost')""",
    "ck_provider_entries_net_adds_up": """
        INSERT INTO provider_entries (id, type, amount_cents, fee_cents, net_cents, created_at, seen_at)
        VALUES ('txn_1', 'charge', 1000, 29, 972, now(), now())""",
    "ck_finance_tasks_kind_known": _TASK.format("kind = 'chat'"),
    "ck_finance_tasks_settlement_known": _TASK.format("settlement = 'won', settled_at = now(), settled_note = 'X'"),
    "ck_finance_tasks_settled_somehow": _TASK.format("settled_at = now(), settled_note = 'X'"),
    "ck_finance_tasks_note_when_settled": _TASK.format("settled_at = now(), settlement = 'note'"),
    "uq_finance_tasks_key": """
        INSERT INTO finance_tasks (kind, key, opened_at) SELECT kind, key, opened_at FROM finance_tasks LIMIT 1""",
    "ck_objections_state_known": _OBJECTION.format("state = 'lost', decided_at = now(), reason = 'X'"),
    "ck_objections_decided_at_when_decided": _OBJECTION.format("decided_at = now()"),
    "ck_objections_reason_when_decided": _OBJECTION.format("state = 'upheld', decided_at = now()"),
    "uq_objections_donation_id": """
        INSERT INTO objections (donation_id, raised_at) SELECT donation_id, raised_at FROM objections""",
    "ck_payouts_state_known": _REQUESTED.format("state = 'lost'"),
    "ck_payouts_holder_kind_known": _REQUESTED.format("holder_kind = 'dog'"),
    "ck_payouts_amount_positive": _REQUESTED.format("amount_cents = 0"),
    "ck_payouts_holder_name_length": _REQUESTED.format("holder_name = 'A'"),
    "ck_payouts_confirmed_by_somebody": _REQUESTED.format("confirmed_at = now()"),
    "ck_payouts_approved_by_somebody": _REQUESTED.format("approved_at = now()"),
    "ck_payouts_confirmed_by_another": _REQUESTED.format("confirmed_at = now(), confirmed_by_id = requested_by_id"),
    "ck_payouts_approved_by_another": _REQUESTED.format("approved_at = now(), approved_by_id = requested_by_id"),
    "ck_payouts_two_pairs_of_eyes": _EXPORTED.format("approved_by_id = confirmed_by_id"),
    "ck_payouts_confirmed_when_further": _REQUESTED.format("state = 'confirmed'"),
    "ck_payouts_approved_when_further": _EXPORTED.format("approved_at = NULL, approved_by_id = NULL"),
    "ck_payouts_doubtful_when_bounced": _REQUESTED.format("is_doubtful = true"),
    "ck_payouts_batch_when_exported": _EXPORTED.format("batch_id = NULL"),
    "ck_payouts_paid_on_when_paid": _EXPORTED.format("state = 'paid'"),
    "ck_payouts_remark_when_back": _REQUESTED.format("state = 'refused'"),
    "uq_payouts_one_living": _REQUESTED.format(
        "initiative_id = (SELECT initiative_id FROM payouts WHERE state = 'exported')"
    ),
    "uq_payouts_end_to_end_id": "UPDATE payouts SET end_to_end_id = 'UB-1'",
    "ck_payout_batches_state_known": _MADE.format("state = 'lost'"),
    "ck_payout_batches_holds_something": _BATCH.format(**_NEW_BATCH | {"count": "0"}),
    "ck_payout_batches_released_by_somebody": _MADE.format("released_by_id = NULL"),
    "ck_payout_batches_released_by_another": _MADE.format("released_by_id = made_by_id"),
    "ck_payout_batches_released_when_further": _MADE.format("released_at = NULL, released_by_id = NULL"),
    "ck_payout_batches_message_id_length": _BATCH.format(**_NEW_BATCH | {"message": "repeat('X', 36)"}),
    "ck_payout_batches_sha256_length": _BATCH.format(**_NEW_BATCH | {"sha256": "'ab'"}),
    "uq_payout_batches_message_id": _BATCH.format(**_NEW_BATCH | {"message": "message_id"}),
    "ck_bank_statements_sha256_length": "UPDATE bank_statements SET sha256 = 'ab' WHERE id = lowest('bank_statements')",
    "uq_bank_statements_sha256": "UPDATE bank_statements SET sha256 = repeat('a', 64)",
    "ck_statement_lines_amount_positive": _LINE.format(**_NEW_LINE | {"cents": "0"}),
    "ck_statement_lines_outcome_known": _LINE.format(**_NEW_LINE | {"outcome": "'lost'"}),
    "uq_statement_lines_bank_reference_end_to_end_id_is_credit": _LINE.format(
        **_NEW_LINE | {"reference": "bank_reference"}
    ),
    "ck_unspent_returns_amount_positive": _RETURN.format(**_NEW_RETURN | {"cents": "0"}),
    "ck_unspent_returns_note_length": _RETURN.format(**_NEW_RETURN | {"note": "repeat('X', 201)"}),
    "uq_unspent_returns_form_key": _RETURN.format(**_NEW_RETURN | {"key": "form_key"}),
}


def give_and_pay(factory: Factory) -> None:
    """One of each: a payment that is paid and one that is begun; a payout in each hand; what the bank said."""
    session, now = factory.session, factory.now
    initiative_id = factory.initiative().id
    book(factory, checkout(begin(factory, initiative_id)))
    begin(factory, initiative_id)
    open_task(session, TaskKind.DIFFERENCE, "difference:1", now=now)
    desk = Desk(factory)
    (paid,) = desk.at_the_bank()
    line = BankLine(
        end_to_end_id=paid.end_to_end_id, amount_cents=paid.amount_cents, booked_on=local_date(now), reference="REF"
    )
    for number in ("A1", "A2"):
        content = statement_file([[line]], iban=OUR_ACCOUNT.iban, number=number, created_at=now)
        statements.take_in(session, content, account=OUR_ACCOUNT, user=desk.user("Mia"), now=now)
    returning.book_return(
        session,
        paid.initiative_id,
        amount_cents=1,
        received_on=local_date(now),
        note="",
        form_key="form",
        user=desk.user("Mia"),
        now=now,
    )
    desk.at_the_bank()
    asking = factory.initiative(InitiativeState.FUNDED, target_cents=5_250)
    details = service.BankDetails(
        amount_cents=1, iban=THEIR_IBAN, holder_name="Het Plein", holder_kind=HolderKind.PERSON
    )
    service.request(session, asking.id, details, user=desk.initiator(asking), secret_key=SECRET_KEY, now=now)
    first_gift = session.scalars(select(func.min(Donation.id))).one()
    session.add(Objection(donation_id=first_gift, raised_at=now))
    session.flush()
