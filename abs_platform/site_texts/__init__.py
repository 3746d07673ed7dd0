# SPDX-License-Identifier: EUPL-1.2
"""The texts of the site that the coordinator edits, with their history."""
