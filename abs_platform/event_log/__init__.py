# SPDX-License-Identifier: EUPL-1.2
"""The event log for the coordinator: who did what, when and why; never who gave what."""
