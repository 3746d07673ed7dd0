# SPDX-License-Identifier: EUPL-1.2
"""The page from which organisers carry their initiative, and what it has received."""
