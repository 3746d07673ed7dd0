# SPDX-License-Identifier: EUPL-1.2
"""Mail that leaves: what happens to the rows that outbox.py wrote."""
