"""The unit of every parameter, and what its interval must know of it; each is defined in docs/parameters.md."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unit:
    """Unit of a parameter, and its period where it is an angle."""

    name: str
    period: float | None = None
    least: float = float("-inf")  # below which it cannot be
    power: int = 0  # which power of it noise adds to, in proportion to the noise's own power; 0: none


DEGREES = Unit("deg", period=360.0)
SECONDS = Unit("s", least=0.0)
SHARE = Unit("1", least=0.0, power=1)  # of energy
AT_PEAKS: dict[str, Unit] = {
    "map_angle": DEGREES,
    "pole_distance": Unit("m", least=0.0),
    "pole_ratio": Unit("1", least=0.0),
    "current_angle": DEGREES,
    "max_current": Unit("T/m", least=0.0),
    "total_current": Unit("T·m", least=0.0),
    "total_current_angle": DEGREES,
    "non_dipolarity": SHARE,
}
UNITS: dict[str, Unit] = {
    **{f"{name}_{peak}": unit for peak in ("R", "T") for name, unit in AT_PEAKS.items()},
    "angle_change_T": Unit("deg", least=0.0, power=2),
    "distance_change_T": Unit("m", least=0.0, power=2),
    "ratio_change_T": Unit("1", least=0.0, power=2),
    "total_current_turn_T": DEGREES,
    "tbeg_tmax_vector": Unit("1", least=0.0),
    "tbeg_tmax_angle": DEGREES,
    "cdv_class": Unit("1", least=0.0),
    "r_t_angle": DEGREES,
    "qrs_fragmentation": SHARE,
    "st_fluctuation": Unit("1", least=0.0, power=2),
    **dict.fromkeys(("p", "pr", "qrs", "qt", "qtc_bazett", "qtc_fridericia", "rt", "tpeak_tend"), SECONDS),
    # a range is no sum of squares: what the draws say noise adds to it is less sure than the range itself
    "qt_dispersion": SECONDS,
    "qt_deviation": Unit("s", least=0.0, power=2),
    "smoothness_index": Unit("s", least=0.0, power=2),
}
