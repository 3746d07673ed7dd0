# SPDX-License-Identifier: EUPL-1.2
"""How it went and what it really cost (rule 9)."""
