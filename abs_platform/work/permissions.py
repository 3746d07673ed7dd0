# SPDX-License-Identifier: EUPL-1.2
"""Who may see and take back long work."""

from abs_platform.users import User
from abs_platform.work.queries import WorkOrderView
from abs_platform.work.states import WorkState


def can_cancel(user: User, order: WorkOrderView) -> bool:
    """A coordinator takes back what has not begun."""
    return user.is_coordinator and order.state == WorkState.WAITING
