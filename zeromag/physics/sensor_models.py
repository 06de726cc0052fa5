"""Published magnetometers: noise, bandwidth, range and digits of each; `docs/simulation.md` names the sources."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SensorModel:
    """Figures of one kind of sensor, in the units people type."""

    noise: float  # fT/√Hz
    corner: float  # Hz
    bandwidth: float  # Hz, 0: ideal
    loop_gain: float  # 0: open loop
    range_nT: float  # ±  # noqa: N815 - the unit is the name
    bits: int


SENSOR_MODELS = {
    "ideal": SensorModel(15.0, 3.0, 0.0, 0.0, 5.0, 24),
    "qzfm-gen3": SensorModel(15.0, 3.0, 135.0, 0.0, 5.0, 24),
    "qzfm-triaxial": SensorModel(23.0, 3.0, 135.0, 0.0, 5.0, 24),
    "hedscan-v3": SensorModel(15.0, 3.0, 350.0, 30.0, 15.0, 24),
    "helium-mag4health": SensorModel(45.0, 3.0, 2000.0, 100.0, 250.0, 24),
    "serf-beihang": SensorModel(15.0, 3.0, 100.0, 0.0, 2.0, 24),
    "scalar-unshielded": SensorModel(314.0, 3.0, 0.0, 0.0, 1000.0, 24),
}
