# SPDX-License-Identifier: EUPL-1.2
"""One address of the demo, with the words that the BAG has for its purpose and its status."""

from typing import NamedTuple

IN_USE = "Verblijfsobject in gebruik"
IN_USE_NOT_MEASURED = "Verblijfsobject in gebruik (niet ingemeten)"
OUT_OF_USE = "Verblijfsobject buiten gebruik"
FORMED = "Verblijfsobject gevormd"
ASSIGNED_PLACE = "Plaats aangewezen"

DWELLING = "woonfunctie"


class Row(NamedTuple):
    """One line of the BAG file, with the neighbourhood that the key file gives it."""

    area_code: str
    street: str
    number: int
    letter: str
    addition: str
    postcode: str
    town: str
    municipality: str
    designation: str
    purpose: str
    surface: int
    status: str
    object_id: str
    object_type: str
    secondary: bool
    building: str
    building_status: str
    year: str
    longitude: float
    latitude: float
    x: float
    y: float
