# SPDX-License-Identifier: EUPL-1.2
"""The desk of finance: what waits, tasks, balances, closing a month."""
