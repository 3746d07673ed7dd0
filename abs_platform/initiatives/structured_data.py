# SPDX-License-Identifier: EUPL-1.2
"""What the page of an initiative tells search engines in the words of schema.org: the plan, where, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import url_for

from abs_platform.agenda.queries import AgendaCard
from abs_platform.initiatives.showing import InitiativeDetail


def structured_data(
    found: InitiativeDetail,
    activities: Sequence[AgendaCard],
    *,
    base_url: str,
    image: str,
    town: str,
    way: Sequence[tuple[str, str]],
    address: str,
) -> dict[str, Any]:
    """The initiative, the way to its page, and its activities. ``way``: names and paths of the pages above."""
    url = base_url + address
    project: dict[str, Any] = {
        "@type": "Project",
        "@id": f"{url}#initiatief",
        "name": found.title,
        "description": found.summary,
        "url": url,
        "image": [image, *(base_url + view.largest for view in found.pictures[:3])],
        "location": _place(found, town),
        "funding": {
            "@type": "MonetaryGrant",
            "amount": {"@type": "MonetaryAmount", "currency": "EUR", "value": found.target_cents / 100},
        },
    }
    if found.published_on:
        project["foundingDate"] = found.published_on.date().isoformat()
    if found.is_collecting:
        project["potentialAction"] = {"@type": "DonateAction", "target": f"{url}#geven"}
    steps = [*((name, base_url + path) for name, path in way), (found.title, url)]
    crumbs = {
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": number, "name": name, "item": item}
            for number, (name, item) in enumerate(steps, start=1)
        ],
    }
    events = [_event(one, project["@id"], base_url, town) for one in activities]
    return {"@context": "https://schema.org", "@graph": [project, crumbs, *events]}


def _place(found: InitiativeDetail, town: str) -> dict[str, Any]:
    place: dict[str, Any] = {
        "@type": "Place",
        "name": found.place_description or found.area_name,
        "address": {"@type": "PostalAddress", "addressLocality": town, "addressCountry": "NL"},
    }
    if found.latitude is not None:
        place["geo"] = {"@type": "GeoCoordinates", "latitude": found.latitude, "longitude": found.longitude}
    return place


def _event(item: AgendaCard, organiser: str, base_url: str, town: str) -> dict[str, Any]:
    status = "EventCancelled" if item.is_cancelled else "EventScheduled"
    return {
        "@type": "Event",
        "name": item.title,
        "startDate": item.starts_at.isoformat(),
        "endDate": item.ends_at.isoformat(),
        "eventStatus": f"https://schema.org/{status}",
        "eventAttendanceMode": "https://schema.org/OfflineEventAttendanceMode",
        "location": {"@type": "Place", "name": item.place, "address": town},
        "organizer": {"@id": organiser},
        "url": base_url + url_for("agenda.show", item_id=item.id, slug=item.slug),
    }
