# SPDX-License-Identifier: EUPL-1.2
"""The SQL of a movement: what everybody may see of a transaction of the ledger, in which order, with which balance.

Days have no clock times, and within a day the order follows from what is on the page (first what came in, then what
went out, then kind, initiative and amount): who gave before or after whom cannot be read from it, and of two that look
the same nobody can tell which is which. A name is shown only of a giver who chose to be named and whose gift still
stands, as on the page of the initiative.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from abs_platform.cashbook.schemas import Filters
from abs_platform.cashbook.states import KINDS, OF_ORGANISATIONS, Sort
from abs_platform.clock import AMSTERDAM

# One row for each transaction, with what everybody may see of it. What is no movement of an initiative shows the
# vouchers that it made or ended, else what came in (+) or went out (-) at the provider and the bank.
_COLUMNS = f"""
    SELECT t.booked_at, (t.booked_at AT TIME ZONE '{AMSTERDAM.key}')::date AS day, t.kind,
           COALESCE(d.is_organisation, FALSE) AS is_organisation,
           i.id AS initiative_id, i.title, r.id AS round_id, r.name AS round_name, legs.effect AS effect_cents,
           COALESCE(NULLIF(legs.effect, 0), legs.vouchers, NULLIF(legs.ours, 0), legs.moved, 0)::bigint AS amount_cents,
           CASE WHEN d.state = 'confirmed' AND t.kind IN ('voucher_given', 'payment_received')
                THEN NULLIF(d.giver_name, '') END AS giver_name,
           t.id
"""
_SOURCE = """
    FROM ledger_transactions t
    LEFT JOIN donations d ON d.id = t.donation_id
    CROSS JOIN LATERAL (
        SELECT COALESCE(SUM(amount_cents) FILTER (WHERE account = 'initiative'), 0)::bigint AS effect,
               SUM(amount_cents) FILTER (WHERE account = 'vouchers') AS vouchers,
               -SUM(amount_cents) FILTER (WHERE account IN ('provider', 'bank')) AS ours,
               SUM(amount_cents) FILTER (WHERE amount_cents > 0) AS moved,
               MAX(initiative_id) AS initiative_id,
               MAX(round_id) FILTER (WHERE t.kind IN ('vouchers_issued', 'vouchers_revoked', 'vouchers_expired'))
                   AS round_id
        FROM ledger_postings WHERE transaction_id = t.id
    ) legs
    LEFT JOIN initiatives i
        ON i.id = COALESCE(legs.initiative_id, d.initiative_id) AND i.published_at IS NOT NULL
    LEFT JOIN rounds r ON r.id = legs.round_id
    WHERE {where}
"""
# All that there is without what came since: that is little for the pages that are read most.
_OPENING = """
    SELECT (SELECT COALESCE(SUM(amount_cents), 0) FROM ledger_postings WHERE account = 'initiative')
           - (SELECT COALESCE(SUM(p.amount_cents), 0) FROM ledger_transactions b
              JOIN ledger_postings p ON p.transaction_id = b.id AND p.account = 'initiative'
              WHERE b.booked_at >= {moment})
"""
_OPENING_OF_ONE = """
    SELECT COALESCE(SUM(p.amount_cents), 0) FROM ledger_postings p
    JOIN ledger_transactions b ON b.id = p.transaction_id AND b.booked_at < {moment}
    WHERE p.account = 'initiative' AND p.initiative_id = :initiative_id
"""
# From the newest to the oldest. Of what looks the same the older has the lower place: what arrives while somebody
# reads page after page gets a place of its own, and moves none of the others.
ORDER = ("day", "is_out", "word", "initiative_key", "round_key", "amount_cents", "mark", "place")
_ORDERED = """
    WITH lines AS ({lines}), keyed AS (
        SELECT *, (effect_cents < 0)::int AS is_out, kind || CASE WHEN is_organisation THEN '+' ELSE '' END AS word,
               COALESCE(initiative_id, 0) AS initiative_key, COALESCE(round_id, 0) AS round_key,
               COALESCE(left(encode(sha256(convert_to(giver_name, 'UTF8')), 'hex'), 12), '') AS mark
        FROM lines
    ), placed AS (
        SELECT *, row_number() OVER (
            PARTITION BY day, is_out, word, initiative_key, round_key, amount_cents, mark ORDER BY id) AS place
        FROM keyed
    ), summed AS (
        SELECT *, (SUM(effect_cents) OVER (ORDER BY {order} ROWS UNBOUNDED PRECEDING))::bigint
                  + ({opening})::bigint AS balance_cents
        FROM placed
    )
    SELECT * FROM summed {after} ORDER BY {direction}
"""


def conditions(filters: Filters) -> tuple[list[str], dict[str, Any]]:
    """The choices as conditions on a transaction and its donation."""
    where, values = ["TRUE"], dict[str, Any]()
    if filters.since is not None:
        where.append("t.booked_at >= :since AND t.booked_at < :until")
        values |= {"since": filters.since, "until": filters.until}
    if filters.sort is not None:
        where.append("t.kind = ANY(:kinds)")
        values["kinds"] = [kind.value for kind in KINDS[filters.sort]]
    if filters.sort is not None and filters.sort in OF_ORGANISATIONS:
        where.append("COALESCE(d.is_organisation, FALSE) = :is_organisation")
        values["is_organisation"] = OF_ORGANISATIONS[filters.sort]
    if filters.phase is not None:
        where.append("t.id IN (SELECT transaction_id FROM ledger_postings WHERE initiative_id = ANY(:in_phase))")
        values["in_phase"] = list(filters.in_phase)
    if filters.round_id is not None:
        # Of a gift nobody is told from which round it came: that could tell how long it was kept, or in which district.
        where.append("""t.kind = ANY(:round_kinds) AND t.id IN (
            SELECT transaction_id FROM ledger_postings WHERE round_id = :round_id)""")
        values |= {"round_id": filters.round_id, "round_kinds": _ROUND_KINDS}
    if filters.initiative_id is not None:
        where.append("""t.id IN (
            SELECT transaction_id FROM ledger_postings WHERE initiative_id = :initiative_id
            UNION SELECT b.id FROM donations g JOIN ledger_transactions b ON b.donation_id = g.id
            WHERE g.initiative_id = :initiative_id)""")
        values["initiative_id"] = filters.initiative_id
    return where, values


_ROUND_KINDS = [kind.value for sort in (Sort.ISSUED, Sort.EXPIRED) for kind in KINDS[sort]]


def source(where: list[str]) -> str:
    """The transactions that conditions leave, from FROM on."""
    return _SOURCE.format(where=" AND ".join(where))


def _lines(where: list[str]) -> str:
    """The transactions that conditions leave, as lines."""
    return _COLUMNS + source(where)


def ordered(
    where: list[str],
    filters: Filters,
    edge: dt.datetime | None,
    *,
    is_descending: bool,
    is_continued: bool = False,
    opening: str | None = None,
) -> str:
    """The lines in order, each with the balance after it."""
    keys = ", ".join(ORDER)
    direction = ", ".join(f"{key} DESC" for key in ORDER) if is_descending else keys
    after = f"WHERE ({keys}) < ({', '.join(':' + key for key in ORDER)})" if is_continued else ""
    lines = _lines(where)
    opening = opening or _opening(filters, edge)
    return _ORDERED.format(lines=lines, order=keys, opening=opening, after=after, direction=direction)


def _opening(filters: Filters, edge: dt.datetime | None) -> str:
    """What there was before the first day that is read."""
    if not filters.has_balance or (edge is None and filters.since is None):
        return "SELECT 0"
    moment = ":since" if edge is None else ":edge"
    return (_OPENING if filters.initiative_id is None else _OPENING_OF_ONE).format(moment=moment)
