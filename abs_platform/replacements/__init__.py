# SPDX-License-Identifier: EUPL-1.2
"""Letters that were lost or came back: a new letter to the same address, and addresses where the post finds nobody."""
