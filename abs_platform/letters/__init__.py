# SPDX-License-Identifier: EUPL-1.2
"""The letters of a round: their text, their files, and what was handed to the print house."""
