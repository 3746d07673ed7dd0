# SPDX-License-Identifier: EUPL-1.2
"""A stand-in for Stripe: it answers as Stripe does, moves no money, and is used by the demo and the tests only."""
