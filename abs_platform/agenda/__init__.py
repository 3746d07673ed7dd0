# SPDX-License-Identifier: EUPL-1.2
"""What goes on in a district or the city, and when."""
