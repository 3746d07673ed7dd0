# SPDX-License-Identifier: EUPL-1.2
"""Posters and flyers of an initiative, for windows and letter boxes."""
