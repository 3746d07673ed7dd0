# SPDX-License-Identifier: EUPL-1.2
"""Payouts: what an initiative raised goes to its bank account, with two pairs of eyes."""
