# SPDX-License-Identifier: EUPL-1.2
"""Households: residential addresses, without names."""
