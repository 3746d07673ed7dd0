# SPDX-License-Identifier: EUPL-1.2
"""Residents who offer hands, materials or knowledge."""
