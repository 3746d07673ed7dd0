# SPDX-License-Identifier: EUPL-1.2
"""Rounds: issues of vouchers, normally spring and autumn."""
