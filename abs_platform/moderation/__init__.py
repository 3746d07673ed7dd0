# SPDX-License-Identifier: EUPL-1.2
"""The desk of the wijkregisseur: what waits, one screen per initiative, and decisions with their mail."""
