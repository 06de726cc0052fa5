"""What each stage does to a heart and to white noise on three arrays: the table of docs/filters.md.

python benchmarks/filters.py
"""

from __future__ import annotations

import numpy as np

from zeromag.acquire.simulate import simulation
from zeromag.filters import (
    BandPass,
    BeatBaseline,
    Despike,
    Gradiometer,
    HighPass,
    HomogeneousField,
    JointFit,
    LowPass,
    Mains,
    Multipole,
    Nlms,
    Notch,
    ReferenceRegression,
    Rls,
    SignalSpaceSeparation,
    Zapline,
    measure,
)
from zeromag.filters.described import in_words
from zeromag.filters.far_sources import predicted_shielding
from zeromag.filters.meter import Spatial
from zeromag.sensors import SensorArray
from zeromag.stage import Stage

RATE = 1000.0
STAGES: tuple[Stage, ...] = (
    HomogeneousField(1), HomogeneousField(2), HomogeneousField(3), JointFit(), JointFit(rank=6), Gradiometer(1),
    Gradiometer(2), SignalSpaceSeparation(), SignalSpaceSeparation(damping=0.01), Multipole(10, 2, basis="heart"),
    ReferenceRegression(), Nlms(), Rls(), Mains(), Zapline(), Notch(50.0), LowPass(), HighPass(0.05), HighPass(0.5),
    BandPass(5.0, 40.0), Despike(), BeatBaseline(),
)  # fmt: skip


def arrays() -> dict[str, SensorArray]:
    """Return the arrays: with references, without, and triaxial."""
    adult = simulation("sim:adult").sensors
    mag = adult.pick(adult.of_kind("mag"))
    places, axes = np.repeat(mag.positions, 3, axis=0), np.tile(np.eye(3), (len(mag), 1))
    triaxial = SensorArray(tuple(f"T{c:03d}" for c in range(len(places))), places, axes)
    return {"36 Bz and 4 triaxial references": adult, "36 Bz": mag, "36 triaxial": triaxial}


def main() -> None:
    """Print the table."""
    for name, sensors in arrays().items():
        print(f"\n{name:52}{'kept':>8}{'corr.':>8}{'turned':>8}{'noise':>8}{'ms late':>9}{'dB, 3 m':>9}")
        for stage in STAGES:
            try:
                cost = measure(stage, sensors, RATE)
            except ValueError as error:
                print(f"{in_words([stage]):52}{error}")
                continue
            shielding = ""
            if isinstance(stage, Spatial):
                matrix = stage.plan(sensors)(sensors.usable()).matrix(len(sensors))
                shielding = f"{predicted_shielding(matrix, sensors):9.0f}"
            figures = f"{cost.heart_kept:8.3f}{cost.map_correlation:8.4f}{cost.map_angle:7.1f}°{cost.noise_gain:8.2f}"
            print(f"{in_words([stage]):52}{figures}{1e3 * cost.delay_s:9.1f}{shielding}")


if __name__ == "__main__":
    main()
