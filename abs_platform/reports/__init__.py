# SPDX-License-Identifier: EUPL-1.2
"""Figures of the rounds: for everyone at /cijfers, for the coordinator while a round is on, and its closing report."""
