# SPDX-License-Identifier: EUPL-1.2
"""The rules check: plain questions, and what each answer asks of the organisers."""
