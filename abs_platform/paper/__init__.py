# SPDX-License-Identifier: EUPL-1.2
"""Paper as a full channel: codes that organisers and desks enter, collection boxes, and large batches that wait."""
