# SPDX-License-Identifier: EUPL-1.2
"""Accounts: signing in without a password, sessions, and the roles of staff."""
