# SPDX-License-Identifier: EUPL-1.2
"""The timetable and the jobs."""
