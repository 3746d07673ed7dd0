# SPDX-License-Identifier: EUPL-1.2
"""What organisers tell the people who gave: updates, thanks, and the mails that carry them."""
