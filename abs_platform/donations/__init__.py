# SPDX-License-Identifier: EUPL-1.2
"""Donations: what was given, and what came back."""
