"""The heart rate over a stretch of beats, with its 95 % interval."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zeromag.mapping.beat import Beat

DRAWS = 2000


def heart_rate(beats: Sequence[Beat]) -> dict[str, float | str] | None:
    """Return `{value, low, high, unit}` in 1/min from the mean RR, resampled with a fixed seed; None below two RR.

    Beats of every class count; an RR across a gap is NaN in the beat and does not.
    """
    rr = np.array([beat.rr for beat in beats if np.isfinite(beat.rr)])
    if len(rr) < 2:
        return None
    draws = np.random.default_rng(0).choice(rr, size=(DRAWS, len(rr))).mean(axis=1) if len(rr) <= 500 else None
    half = 1.96 * rr.std(ddof=1) / np.sqrt(len(rr))
    low, high = (rr.mean() - half, rr.mean() + half) if draws is None else np.quantile(draws, (0.025, 0.975))
    return {"value": 60 / float(rr.mean()), "low": 60 / float(high), "high": 60 / float(low), "unit": "1/min"}
