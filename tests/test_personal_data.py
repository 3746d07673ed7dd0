# SPDX-License-Identifier: EUPL-1.2
"""The register of personal data is whole: each column that can hold something of a person stands in it."""

from __future__ import annotations

import re

from sqlalchemy import Column, Double, Float, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB

from abs_platform.config import ROOT_DIR
from abs_platform.database import Base

REGISTER = ROOT_DIR / "docs" / "personal-data.md"
_NAMES = re.compile(r"`([a-z_]+)?\.([a-z_0-9]+)`")
# What the municipality or the machine writes, and what is one of a short list of words.
OF_NOBODY = {"areas", "address_imports", "job_runs", "ledger_postings", "ledger_transactions", "print_files", "rounds"}
OF_NOBODY |= {"rule_advices", "rule_questions"}
# The letter before it is anybody's, and the desk of a wijkcentrum.
OF_NOBODY |= {"letter_texts", "letter_runs", "help_points", "site_text_versions"}
# The timetable, and work that was asked for: numbers, choices and sentences of ours.
OF_NOBODY |= {"scheduled_jobs", "work_orders"}
# What the provider, the bank or our own check says of money: numbers, sums and sentences without a name.
OF_NOBODY |= {"provider_events", "provider_entries", "bank_statements", "statement_lines", "books_checks"}
WORDS_OF_A_LIST = {"state", "kind", "role", "theme", "method", "level", "channel", "purpose", "transport", "answer"}
WORDS_OF_A_LIST |= {"side", "voice", "rule", "content_type", "subject", "bucket", "object_type", "seen"}
NOT_PERSONAL = {
    ("checklist_ticks", "key"): "which line of the checklist",
    ("area_figures", "name"): "which figure",
    ("code_attempts", "reason"): "what was wrong with a code, one of a few words",
    ("donations", "reference"): "a random number",
    ("finance_tasks", "external_id"): "a number at the provider or the bank",
    ("finance_tasks", "key"): "which thing the task is about, by number",
    ("finance_tasks", "ours"): "a sentence of ours about amounts",
    ("finance_tasks", "settlement"): "one of a few words",
    ("finance_tasks", "theirs"): "a sentence of ours about amounts",
    ("letter_files", "sha256"): "a digest of the whole file",
    ("letter_files", "store_key"): "where the sealed copy of a file lies",
    ("returned_letters", "reason"): "what the post wrote on the envelope, one of a few words",
    ("rule_changes", "name"): "which number",
    ("payments", "refund_error"): "the provider's word for why",
    ("payments", "refund_reason"): "one of a few words",
    ("payout_batches", "message_id"): "a number of ours",
    ("payout_batches", "sha256"): "a digest of the whole file",
    ("payouts", "end_to_end_id"): "a number of ours",
    ("payouts", "holder_kind"): "person or organisation",
    ("unspent_returns", "form_key"): "a random number",
    ("initiative_proposals", "changed_in"): "numbers of versions",
}


def registered() -> set[tuple[str, str]]:
    """Table and column of everything in the first cell of a row; a name without a table is of the table before it."""
    found = set()
    for line in REGISTER.read_text(encoding="utf-8").splitlines():
        table = ""
        for match in _NAMES.finditer(line.split("|")[1] if line.startswith("|") else ""):
            table = match[1] or table
            found.add((table, match[2]))
    return found


def can_hold_a_person(column: Column[object]) -> bool:
    free = isinstance(column.type, Text | LargeBinary | JSONB | Double | Float) and column.computed is None
    is_listed = column.table.name in OF_NOBODY or (column.table.name, column.name) in NOT_PERSONAL
    is_word = column.name in WORDS_OF_A_LIST and (column.table.name, column.name) != ("outgoing_mails", "subject")
    return free and not is_listed and not is_word


def columns() -> dict[tuple[str, str], Column[object]]:
    return {(table.name, column.name): column for table in Base.metadata.tables.values() for column in table.columns}


def test_every_column_that_can_hold_something_of_a_person_is_in_the_register() -> None:
    asked = {place for place, column in columns().items() if can_hold_a_person(column)}

    assert sorted(asked - registered()) == []


def test_the_register_names_no_column_that_is_not_there() -> None:
    assert registered()
    assert sorted(registered() - set(columns())) == []
    assert sorted(set(NOT_PERSONAL) - set(columns())) == []
