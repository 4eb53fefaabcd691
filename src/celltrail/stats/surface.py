"""A surface over two axes through scattered and noisy points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from celltrail.errors import BadValue

if TYPE_CHECKING:
    from celltrail.stats.coded import Floats

FEWEST = 6
_WIDTHS = (0.04, 0.06, 0.09, 0.13, 0.2, 0.3, 0.45)  # of the kernel, in parts of an axis
_REACH = 0.22  # further from any point than this nothing is claimed


@dataclass(frozen=True, slots=True)
class Surface:
    """Heights of shape (rows, columns), NaN far from all points.

    ``error`` is how far it is off at a point that it was not told of, typically (root mean square); ``spread`` the
    same for guessing the mean everywhere.
    """

    height: Floats
    error: float
    spread: float


def surface(x: Floats, y: Floats, z: Floats, columns: int, rows: int) -> Surface:
    """A local mean of ``z`` over the unit square, as smooth as best foretells points that are left out.

    It never leaves the range of ``z``, and equal places with different heights are averaged.

    Args:
        x: places from 0 to 1, shape (n,).
        y: the same for the other axis.
        z: the heights, finite.
        columns: of the grid, cell centres at (i + 0.5) / columns.
        rows: the same for ``y``.

    Raises:
        BadValue: fewer than 6 points.

    >>> x, y = np.random.default_rng(0).random((2, 200))
    >>> made = surface(x, y, x, 4, 3)
    >>> made.height.shape, bool((np.diff(made.height) > 0).all()), made.error < made.spread / 4
    ((3, 4), True, True)
    """
    import numpy as np

    if len(z) < FEWEST:
        raise BadValue(f"a surface needs {FEWEST} points or more and has {len(z)}")
    between = _squares(x, y, x, y)
    left_out = [_means(between, z, width, itself=False) for width in _WIDTHS]
    errors = [float(np.sqrt(((told - z) ** 2).mean())) for told in left_out]
    best = int(np.argmin(errors))
    across, up = np.meshgrid((np.arange(columns) + 0.5) / columns, (np.arange(rows) + 0.5) / rows)
    away = _squares(across.ravel(), up.ravel(), x, y)
    height = _means(away, z, _WIDTHS[best])
    height[away.min(axis=1) > _REACH**2] = np.nan
    return Surface(height.reshape(rows, columns), errors[best], float(z.std()))


def _squares(x: Floats, y: Floats, to_x: Floats, to_y: Floats) -> Floats:
    return (x[:, None] - to_x) ** 2 + (y[:, None] - to_y) ** 2


def _means(squares: Floats, z: Floats, width: float, *, itself: bool = True) -> Floats:
    """The mean of z at each row of squared distances, by a Gaussian kernel."""
    import numpy as np

    powers = -squares / (2 * width**2)
    if not itself:
        np.fill_diagonal(powers, -np.inf)
    # the nearest point has the weight 1, however far away it is
    weights = np.exp(powers - powers.max(axis=1, keepdims=True))
    return weights @ z / weights.sum(axis=1)
