# SPDX-License-Identifier: EUPL-1.2
"""The areas of the municipality: districts, villages and neighbourhoods."""
