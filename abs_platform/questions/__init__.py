# SPDX-License-Identifier: EUPL-1.2
"""Questions under an initiative, and their answers."""
