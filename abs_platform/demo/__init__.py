# SPDX-License-Identifier: EUPL-1.2
"""What `abs demo` shows: made-up addresses, and the initiatives that a municipality's folder describes."""
