# SPDX-License-Identifier: EUPL-1.2
"""How fast, how large and how much memory: each bench measures one promise beside a floor, in one run."""
