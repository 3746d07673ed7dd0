# SPDX-License-Identifier: EUPL-1.2
"""Where did my voucher go, and: that was not me."""
