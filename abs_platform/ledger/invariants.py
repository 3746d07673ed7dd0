# SPDX-License-Identifier: EUPL-1.2
"""The invariants of the books (design.md section 5, and the rules of money) as queries that find what breaks them."""

# Each query returns one row (what, details) for each breach, and none when all is well.
OF_VOUCHERS: dict[str, str] = {
    "every transaction sums to zero and has postings": """
        SELECT 'transaction ' || t.id, 'sum ' || COALESCE(SUM(p.amount_cents)::text, 'of no postings')
        FROM ledger_transactions t LEFT JOIN ledger_postings p ON p.transaction_id = t.id
        GROUP BY t.id HAVING COALESCE(SUM(p.amount_cents), 1) <> 0""",
    "vouchers(round) = amount x vouchers issued or kept": """
        SELECT 'round ' || r.id,
               'ledger ' || COALESCE(l.cents, 0) || ', vouchers ' || r.amount_cents * COALESCE(v.living, 0)
        FROM rounds r
        LEFT JOIN (SELECT round_id, SUM(amount_cents) AS cents FROM ledger_postings WHERE account = 'vouchers'
                   GROUP BY round_id) l ON l.round_id = r.id
        LEFT JOIN (SELECT round_id, COUNT(*) AS living FROM vouchers WHERE state IN ('issued', 'kept')
                   GROUP BY round_id) v ON v.round_id = r.id
        WHERE COALESCE(l.cents, 0) <> r.amount_cents * COALESCE(v.living, 0)""",
    "budget(round) = - amount x vouchers neither expired nor revoked": """
        SELECT 'round ' || r.id,
               'ledger ' || COALESCE(l.cents, 0) || ', vouchers ' || -r.amount_cents * COALESCE(v.spent, 0)
        FROM rounds r
        LEFT JOIN (SELECT round_id, SUM(amount_cents) AS cents FROM ledger_postings WHERE account = 'budget'
                   GROUP BY round_id) l ON l.round_id = r.id
        LEFT JOIN (SELECT round_id, COUNT(*) AS spent FROM vouchers WHERE state IN ('issued', 'kept', 'given')
                   GROUP BY round_id) v ON v.round_id = r.id
        WHERE COALESCE(l.cents, 0) <> -r.amount_cents * COALESCE(v.spent, 0)""",
    "initiative(id) = its confirmed donations + what the municipality bore - its payouts, and never below zero": """
        SELECT 'initiative ' || i.id, 'ledger ' || COALESCE(l.cents, 0) || ', donations ' || COALESCE(d.cents, 0)
               || ', borne ' || COALESCE(b.cents, 0) || ', payouts ' || COALESCE(p.cents, 0)
        FROM initiatives i
        LEFT JOIN (SELECT initiative_id, SUM(amount_cents) AS cents FROM ledger_postings WHERE account = 'initiative'
                   GROUP BY initiative_id) l ON l.initiative_id = i.id
        LEFT JOIN (SELECT initiative_id, SUM(amount_cents) AS cents FROM donations WHERE state = 'confirmed'
                   GROUP BY initiative_id) d ON d.initiative_id = i.id
        LEFT JOIN (SELECT initiative_id, SUM(amount_cents) AS cents FROM payouts WHERE state = 'paid'
                   GROUP BY initiative_id) p ON p.initiative_id = i.id
        LEFT JOIN (SELECT d.initiative_id, SUM(d.amount_cents) AS cents
                   FROM objections o JOIN donations d ON d.id = o.donation_id
                   JOIN ledger_transactions t ON t.donation_id = d.id AND t.kind = 'objection_borne'
                   WHERE o.state = 'upheld' GROUP BY d.initiative_id) b ON b.initiative_id = i.id
        WHERE COALESCE(l.cents, 0) <> COALESCE(d.cents, 0) + COALESCE(b.cents, 0) - COALESCE(p.cents, 0)
           OR COALESCE(l.cents, 0) < 0""",
    "every given voucher has exactly one confirmed donation, of its round's amount": """
        SELECT 'voucher ' || v.id, v.state || ', confirmed donations ' || COUNT(d.id)
        FROM vouchers v JOIN rounds r ON r.id = v.round_id
        LEFT JOIN donations d ON d.voucher_id = v.id AND d.state = 'confirmed'
        WHERE v.state = 'given' OR d.id IS NOT NULL
        GROUP BY v.id, v.state, r.amount_cents
        HAVING v.state <> 'given' OR COUNT(d.id) <> 1 OR MAX(d.amount_cents) <> r.amount_cents""",
    "every voucher donation is booked once when given and once when returned": """
        SELECT 'donation ' || d.id, d.state || ', booked given ' || COUNT(t.id) FILTER (WHERE t.kind = 'voucher_given')
               || ', returned ' || COUNT(t.id) FILTER (WHERE t.kind = 'voucher_returned')
        FROM donations d LEFT JOIN ledger_transactions t ON t.donation_id = d.id
        WHERE d.kind = 'voucher'
        GROUP BY d.id, d.state
        HAVING COUNT(t.id) FILTER (WHERE t.kind = 'voucher_given') <> 1
            OR COUNT(t.id) FILTER (WHERE t.kind = 'voucher_returned') <> (d.state = 'returned')::int""",
    "every batch holds the vouchers it says": """
        SELECT 'batch ' || b.id, 'says ' || b.voucher_count || ', holds ' || COUNT(v.id)
        FROM voucher_batches b LEFT JOIN vouchers v ON v.batch_id = b.id
        GROUP BY b.id HAVING COUNT(v.id) <> b.voucher_count""",
    "no initiative collects after its target was reached": """
        SELECT 'initiative ' || i.id, 'published, raised ' || SUM(d.amount_cents) || ' of ' || i.target_cents
        FROM initiatives i JOIN donations d ON d.initiative_id = i.id AND d.state = 'confirmed'
        WHERE i.state = 'published'
        GROUP BY i.id HAVING SUM(d.amount_cents) >= i.target_cents""",
}

_CAME_IN = "p.state NOT IN ('created', 'failed', 'expired')"
# Of what came in: with us is what the giver does not have back and no bank claims; it is owed to the giver when no gift
# counts for it any more, or when the municipality bears what the initiative keeps.
_WITH_US = f"CASE WHEN {_CAME_IN} THEN p.amount_cents - p.returned_cents - p.disputed_cents ELSE 0 END"
_OWED = f"""CASE WHEN {_CAME_IN} AND (d.state <> 'confirmed' OR p.is_borne)
                      THEN p.amount_cents - p.returned_cents ELSE 0 END"""

OF_MONEY: dict[str, str] = {
    "every kind of booking moves money between its own accounts only": """
        SELECT 'transaction ' || t.id, t.kind || ' on ' || p.account
        FROM ledger_transactions t JOIN ledger_postings p ON p.transaction_id = t.id
        WHERE NOT CASE
            WHEN t.kind IN ('vouchers_issued', 'vouchers_expired', 'vouchers_revoked')
                THEN p.account IN ('budget', 'vouchers')
            WHEN t.kind IN ('voucher_given', 'voucher_returned') THEN p.account IN ('vouchers', 'initiative')
            WHEN t.kind = 'payment_received' THEN p.account IN ('provider', 'initiative')
            WHEN t.kind IN ('payment_late', 'refund_failed') THEN p.account IN ('provider', 'owed')
            WHEN t.kind = 'refund_made' THEN p.account IN ('initiative', 'owed', 'provider')
            WHEN t.kind = 'refund_owed' THEN p.account IN ('initiative', 'fees', 'owed')
            WHEN t.kind = 'refund_by_hand' THEN p.account IN ('owed', 'bank')
            WHEN t.kind IN ('refund_borne', 'provider_fee') THEN p.account IN ('fees', 'provider')
            WHEN t.kind = 'provider_payout' THEN p.account IN ('provider', 'bank')
            WHEN t.kind IN ('dispute_opened', 'dispute_won') THEN p.account IN ('disputes', 'provider')
            WHEN t.kind = 'dispute_lost' THEN p.account IN ('initiative', 'owed', 'fees', 'disputes')
            WHEN t.kind = 'unexplained' THEN p.account IN ('suspense', 'provider', 'bank')
            WHEN t.kind = 'explained' THEN p.account IN ('suspense', 'provider', 'bank', 'fees', 'owed', 'initiative')
            WHEN t.kind IN ('payout_paid', 'payout_bounced') THEN p.account IN ('initiative', 'bank')
            WHEN t.kind = 'unspent_returned' THEN p.account IN ('bank', 'surplus')
            WHEN t.kind = 'objection_borne' THEN p.account IN ('fees', 'initiative')
            ELSE false END""",
    "a gift of money and its payment tell the same": """
        SELECT 'donation ' || d.id, d.state || ' of ' || d.amount_cents || ', payment '
               || COALESCE(p.state || ' of ' || p.amount_cents || CASE WHEN p.is_borne THEN ' borne' ELSE '' END, '-')
        FROM donations d LEFT JOIN payments p ON p.donation_id = d.id
        WHERE d.kind = 'money' AND COALESCE(p.amount_cents <> d.amount_cents OR NOT CASE d.state
            WHEN 'pending' THEN p.state = 'created'
            WHEN 'confirmed' THEN p.is_borne OR p.state IN ('paid', 'disputed')
                                  OR (p.state = 'refund_pending' AND p.refund_id IS NULL)
            WHEN 'failed' THEN NOT p.is_borne AND p.state <> 'created'
            ELSE NOT p.is_borne AND p.state NOT IN ('created', 'failed', 'expired') END, true)
        UNION ALL
        SELECT 'payment ' || p.id, 'of a gift of a ' || d.kind
        FROM payments p JOIN donations d ON d.id = p.donation_id WHERE d.kind <> 'money'""",
    "every payment that came in is booked once, and no other": f"""
        SELECT 'payment ' || p.id, p.state || ', gift ' || d.state
               || ', received ' || COUNT(t.id) FILTER (WHERE t.kind = 'payment_received')
               || ', late ' || COUNT(t.id) FILTER (WHERE t.kind = 'payment_late')
        FROM payments p JOIN donations d ON d.id = p.donation_id
        LEFT JOIN ledger_transactions t ON t.donation_id = d.id AND t.kind IN ('payment_received', 'payment_late')
        GROUP BY p.id, d.id
        HAVING COUNT(t.id) FILTER (WHERE t.kind = 'payment_received')
               <> ({_CAME_IN} AND d.state IN ('confirmed', 'returned'))::int
            OR COUNT(t.id) FILTER (WHERE t.kind = 'payment_late') <> ({_CAME_IN} AND d.state = 'failed')::int""",  # noqa: S608 - our own words
    "what was booked of a payment is what it says": f"""
        SELECT 'payment ' || p.id, p.state || ' of ' || p.amount_cents || ', back ' || p.returned_cents || ', with us '
               || COALESCE(l.held, 0) || ', disputed ' || COALESCE(l.disputed, 0) || ', owed ' || COALESCE(l.owed, 0)
        FROM payments p JOIN donations d ON d.id = p.donation_id
        LEFT JOIN (SELECT t.donation_id,
                          -COALESCE(SUM(o.amount_cents) FILTER (WHERE o.account IN ('provider', 'bank')), 0) AS held,
                          -COALESCE(SUM(o.amount_cents) FILTER (WHERE o.account = 'disputes'), 0) AS disputed,
                          COALESCE(SUM(o.amount_cents) FILTER (WHERE o.account = 'owed'), 0) AS owed
                   FROM ledger_transactions t JOIN ledger_postings o ON o.transaction_id = t.id
                   WHERE t.donation_id IS NOT NULL
                   GROUP BY t.donation_id) l ON l.donation_id = d.id
        WHERE COALESCE(l.held, 0) <> {_WITH_US}
           OR COALESCE(l.disputed, 0) <> p.disputed_cents
           OR COALESCE(l.owed, 0) <> {_OWED}""",  # noqa: S608 - our own words
    "owed and disputes = the payments that wait for it": f"""
        SELECT a.account, 'ledger ' || COALESCE(l.cents, 0) || ', payments ' || a.cents
        FROM (SELECT 'owed' AS account, COALESCE(SUM({_OWED}), 0) AS cents
              FROM payments p JOIN donations d ON d.id = p.donation_id
              UNION ALL
              SELECT 'disputes', -COALESCE(SUM(disputed_cents), 0) FROM payments) a
        LEFT JOIN (SELECT account, SUM(amount_cents) AS cents FROM ledger_postings GROUP BY account) l
            ON l.account = a.account
        WHERE COALESCE(l.cents, 0) <> a.cents""",  # noqa: S608 - our own words
    "what the municipality bears of a payment is booked on fees": """
        SELECT 'payment ' || p.id, CASE WHEN p.is_borne THEN 'borne ' ELSE 'not borne ' END || p.amount_cents
               || ', gift ' || d.state || ', fees ' || COALESCE(l.cents, 0)
        FROM payments p JOIN donations d ON d.id = p.donation_id
        LEFT JOIN (SELECT t.donation_id, SUM(o.amount_cents) AS cents
                   FROM ledger_transactions t JOIN ledger_postings o ON o.transaction_id = t.id AND o.account = 'fees'
                   WHERE t.donation_id IS NOT NULL
                   GROUP BY t.donation_id) l ON l.donation_id = p.donation_id
        WHERE CASE WHEN p.is_borne THEN COALESCE(l.cents, 0) <> -p.amount_cents
                   WHEN d.state = 'confirmed' THEN COALESCE(l.cents, 0) NOT BETWEEN -p.returned_cents AND 0
                   ELSE COALESCE(l.cents, 0) <> 0 END""",
    "every fee of the provider is booked once": """
        SELECT 'entry ' || COALESCE(e.id, t.external_id), 'fee ' || COALESCE(e.fee_cents, 0)
               || ', booked ' || COALESCE(-o.amount_cents, 0)
        FROM (SELECT id, fee_cents FROM provider_entries WHERE fee_cents <> 0) e
        FULL JOIN (SELECT id, external_id FROM ledger_transactions WHERE kind = 'provider_fee') t
            ON t.external_id = e.id
        LEFT JOIN ledger_postings o ON o.transaction_id = t.id AND o.account = 'fees'
        WHERE COALESCE(e.fee_cents, 0) <> COALESCE(-o.amount_cents, 0)""",
    "suspense = what is not explained, and each has an open task": """
        SELECT 'external ' || COALESCE(l.external_id, 'none'), 'on suspense ' || l.cents || ', open tasks ' || l.tasks
        FROM (SELECT t.external_id, SUM(o.amount_cents) AS cents,
                     COUNT(*) FILTER (WHERE t.kind = 'unexplained') AS opened,
                     (SELECT COUNT(*) FROM finance_tasks f
                      WHERE f.external_id = t.external_id AND f.settled_at IS NULL) AS tasks
              FROM ledger_transactions t JOIN ledger_postings o ON o.transaction_id = t.id AND o.account = 'suspense'
              GROUP BY t.external_id) l
        WHERE l.external_id IS NULL OR l.opened = 0 OR (l.cents <> 0 AND l.tasks = 0)""",
    "every payout is booked once when paid and once when it came back": """
        SELECT 'payout ' || p.id, p.state || ' of ' || p.amount_cents || ', paid ' || COALESCE(l.paid, 0)
               || ', bounced ' || COALESCE(l.bounced, 0) || ', initiative ' || COALESCE(l.cents, 0)
        FROM payouts p
        LEFT JOIN (SELECT t.payout_id, COUNT(*) FILTER (WHERE t.kind = 'payout_paid') AS paid,
                          COUNT(*) FILTER (WHERE t.kind = 'payout_bounced') AS bounced, SUM(o.amount_cents) AS cents,
                          MIN(o.initiative_id) AS initiative_id, COUNT(DISTINCT o.initiative_id) AS initiatives
                   FROM ledger_transactions t
                   JOIN ledger_postings o ON o.transaction_id = t.id AND o.account = 'initiative'
                   WHERE t.kind IN ('payout_paid', 'payout_bounced') AND t.payout_id IS NOT NULL
                   GROUP BY t.payout_id) l ON l.payout_id = p.id
        WHERE COALESCE(l.paid, 0) > 1 OR COALESCE(l.bounced, 0) > COALESCE(l.paid, 0)
           OR (p.state = 'paid') <> (COALESCE(l.paid, 0) = 1 AND l.bounced = 0)
           OR (p.state <> 'bounced' AND COALESCE(l.bounced, 0) > 0)
           OR COALESCE(l.cents, 0) <> CASE WHEN p.state = 'paid' THEN -p.amount_cents ELSE 0 END
           OR l.initiative_id <> p.initiative_id OR l.initiatives <> 1
        UNION ALL
        SELECT 'transaction ' || id, kind || ' of no payout' FROM ledger_transactions
        WHERE kind IN ('payout_paid', 'payout_bounced') AND payout_id IS NULL""",
    "every file for the bank holds the payouts it says, and each stands in one that lives": """
        SELECT 'batch ' || b.id, b.state || ', says ' || b.payout_count || ' of ' || b.sum_cents || ', holds '
               || COUNT(p.id) || ' of ' || COALESCE(SUM(p.amount_cents), 0)
        FROM payout_batches b LEFT JOIN payouts p ON p.batch_id = b.id
        GROUP BY b.id
        HAVING CASE WHEN b.state = 'cancelled' THEN COUNT(p.id) FILTER (WHERE p.state IN ('exported', 'paid')) > 0
               ELSE COUNT(p.id) <> b.payout_count OR COALESCE(SUM(p.amount_cents), 0) <> b.sum_cents
                    OR COUNT(p.id) FILTER (WHERE p.state NOT IN ('exported', 'paid', 'bounced')) > 0 END
        UNION ALL
        SELECT 'payout ' || id, state || ' in no file' FROM payouts WHERE state = 'exported' AND batch_id IS NULL""",
    "surplus(initiative) = what it paid back, and never more than was paid out": """
        SELECT 'initiative ' || i.id, 'ledger ' || COALESCE(l.cents, 0) || ', returned ' || COALESCE(r.cents, 0)
               || ', paid out ' || COALESCE(p.cents, 0)
        FROM initiatives i
        LEFT JOIN (SELECT initiative_id, SUM(amount_cents) AS cents FROM ledger_postings WHERE account = 'surplus'
                   GROUP BY initiative_id) l ON l.initiative_id = i.id
        LEFT JOIN (SELECT initiative_id, SUM(amount_cents) AS cents FROM unspent_returns
                   GROUP BY initiative_id) r ON r.initiative_id = i.id
        LEFT JOIN (SELECT initiative_id, SUM(amount_cents) AS cents FROM payouts WHERE state = 'paid'
                   GROUP BY initiative_id) p ON p.initiative_id = i.id
        WHERE COALESCE(l.cents, 0) <> COALESCE(r.cents, 0) OR COALESCE(r.cents, 0) > COALESCE(p.cents, 0)""",
    "what the provider holds by our books = the sum of its own": """
        SELECT 'provider', 'ledger ' || COALESCE(l.cents, 0) || ', entries ' || e.cents
        FROM (SELECT SUM(net_cents) AS cents FROM provider_entries) e,
             (SELECT SUM(amount_cents) AS cents FROM ledger_postings WHERE account = 'provider') l
        WHERE e.cents IS NOT NULL AND COALESCE(l.cents, 0) <> -e.cents""",
}
INVARIANTS: dict[str, str] = OF_VOUCHERS | OF_MONEY
# True only once jobs have done what is due. close_initiatives: a crash right after the gift that reaches the target
# leaves it to the job. reconcile_payments: what happened at the provider is in our books before its entries are seen,
# or the other way about.
SETTLES_WITH_JOBS = frozenset(
    {
        "no initiative collects after its target was reached",
        "what the provider holds by our books = the sum of its own",
    }
)
