# SPDX-License-Identifier: EUPL-1.2
"""Vouchers: their codes, issue, print file and expiry."""
