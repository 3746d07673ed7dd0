# SPDX-License-Identifier: EUPL-1.2
"""The numbers of the rules of the game as the coordinator sets them, with their history."""
