# SPDX-License-Identifier: EUPL-1.2
"""Where a house of the demo stands: in degrees, and in metres of the Rijksdriehoek system."""

import math

_METRES_PER_DEGREE_LATITUDE = 111_300.0
_METRES_PER_DEGREE_LONGITUDE = 68_000.0


class Line:
    """Where the houses of a street stand: on a straight line near the neighbourhood's centre."""

    def __init__(self, latitude: float, longitude: float, angle: float, homes: int) -> None:
        self._north, self._east = math.cos(angle), math.sin(angle)
        self._middle = homes / 2
        self._latitude, self._longitude = latitude, longitude
        self._x, self._y = _rijksdriehoek(latitude, longitude)
        step = 0.001
        north = _rijksdriehoek(latitude + step, longitude)
        east = _rijksdriehoek(latitude, longitude + step)
        self._x_north, self._y_north = (north[0] - self._x) / step, (north[1] - self._y) / step
        self._x_east, self._y_east = (east[0] - self._x) / step, (east[1] - self._y) / step

    def point(self, number: int) -> tuple[float, float, float, float]:
        """Longitude, latitude, x and y of a house number; odd and even face each other."""
        along = 7.0 * (number // 2 - self._middle / 2)
        aside = 9.0 if number % 2 else -9.0
        d_latitude = (along * self._north - aside * self._east) / _METRES_PER_DEGREE_LATITUDE
        d_longitude = (along * self._east + aside * self._north) / _METRES_PER_DEGREE_LONGITUDE
        return (
            self._longitude + d_longitude,
            self._latitude + d_latitude,
            self._x + d_latitude * self._x_north + d_longitude * self._x_east,
            self._y + d_latitude * self._y_north + d_longitude * self._y_east,
        )


def _rijksdriehoek(latitude: float, longitude: float) -> tuple[float, float]:
    """RD x and y in metres, by the published approximation of Schreutelkamp and Strang van Hees."""
    f = 0.36 * (latitude - 52.15517440)
    g = 0.36 * (longitude - 5.38720621)
    x = (
        155000
        + 190094.945 * g
        - 11832.228 * f * g
        - 114.221 * f**2 * g
        - 32.391 * g**3
        - 0.705 * f
        - 2.340 * f**3 * g
        - 0.608 * f * g**3
        - 0.008 * g**2
        + 0.148 * f**2 * g**3
    )
    y = (
        463000
        + 309056.544 * f
        + 3638.893 * g**2
        + 73.077 * f**2
        - 157.984 * f * g**2
        + 59.788 * f**3
        + 0.433 * g
        - 6.439 * f**2 * g**2
        - 0.032 * f * g
        + 0.092 * g**4
        - 0.054 * f * g**4
    )
    return x, y
