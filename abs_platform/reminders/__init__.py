# SPDX-License-Identifier: EUPL-1.2
"""Friendly reminders: to organisers, to who was asked to help carry, and to staff."""
