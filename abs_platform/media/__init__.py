# SPDX-License-Identifier: EUPL-1.2
"""Pictures of residents, and receipts."""
