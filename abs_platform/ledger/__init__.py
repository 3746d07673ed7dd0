# SPDX-License-Identifier: EUPL-1.2
"""The books: double entry, append only."""
