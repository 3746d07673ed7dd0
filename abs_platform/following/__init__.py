# SPDX-License-Identifier: EUPL-1.2
"""Who follows an area, a theme or an initiative, and the weekly mail about it."""
