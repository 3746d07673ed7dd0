# SPDX-License-Identifier: EUPL-1.2
"""The page of a district or village, and the wijkregisseurs who stand on it."""
