# SPDX-License-Identifier: EUPL-1.2
"""Initiatives and their whole life."""
