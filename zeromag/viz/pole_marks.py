"""The poles as a map shows them: only of a field that stands out, and what is printed of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zeromag.mapping.field_map import Grid
from zeromag.mapping.poles import Poles, poles

CLEAR = 0.25  # of the scale: poles of a weaker map are noise


def clear_poles(grid: Grid, bz: NDArray[np.floating], least: float) -> Poles | None:
    """Return the poles of a map (ny, nx) T, None when nothing that is seen reaches `least` (T)."""
    seen = np.abs(bz[grid.mask])
    if not np.isfinite(seen).any() or np.nanmax(seen) < least:
        return None
    return poles(grid, np.asarray(bz, dtype=np.float64))


def pole_words(found: Poles) -> str:
    """Return the angle from plus to minus, and how far they are apart."""
    degrees = f"{found.angle:+.0f}°".replace("-", "−")
    return f"+ to − at {degrees}, {found.distance * 1e3:.0f} mm"
