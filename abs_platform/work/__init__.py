# SPDX-License-Identifier: EUPL-1.2
"""Long work that somebody asked for on a page: it runs in the job process, and the page shows how far it is."""
