# SPDX-License-Identifier: EUPL-1.2
"""Gifts of money: paid through a provider, booked once, refunded when they must go back."""
