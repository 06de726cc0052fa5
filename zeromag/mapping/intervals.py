"""The intervals of an averaged beat, between its fiducials."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zeromag.mapping.beat import Beat
from zeromag.mapping.fiducials import Fiducials


def typical_rr(beats: Sequence[Beat]) -> float:
    """Return the median interval between beats, s; NaN when there is none."""
    rr = [beat.rr for beat in beats if np.isfinite(beat.rr)]
    return float(np.median(rr)) if rr else float("nan")


def intervals(marks: Fiducials, rr: float) -> dict[str, float]:
    """Return PR, QRS, P, QT and QT for the rate (Bazett, Fridericia), s; NaN where a wave was not seen."""
    qt = marks.t_end - marks.qrs_onset
    return {
        "p": marks.p_end - marks.p_onset,
        "pr": marks.qrs_onset - marks.p_onset,
        "qrs": marks.qrs_end - marks.qrs_onset,
        "qt": qt,
        "qtc_bazett": qt / rr ** (1 / 2) if rr > 0 else float("nan"),
        "qtc_fridericia": qt / rr ** (1 / 3) if rr > 0 else float("nan"),
        "rt": marks.t_peak - marks.r_peak,
        "tpeak_tend": marks.t_end - marks.t_peak,
    }
