# SPDX-License-Identifier: EUPL-1.2
"""News of the municipality and its districts, written at the desk."""
