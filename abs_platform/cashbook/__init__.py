# SPDX-License-Identifier: EUPL-1.2
"""The public books: where every cent went."""
