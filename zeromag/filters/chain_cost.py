"""What a chain costs the heart: stage by stage, and the whole."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zeromag.filters.calibrate import Calibrate
from zeromag.filters.meter import HeartCost, Known, Spatial, cost_of, measure
from zeromag.sensors import SensorArray
from zeromag.stage import Stage


def stage_costs(stages: Sequence[Stage], sensors: SensorArray, rate: float) -> list[HeartCost]:
    """Return what each stage costs on the array as it reaches that stage; tenths of a second for each one in time."""
    costs = []
    for stage in stages:
        costs.append(measure(stage, sensors, rate))
        if isinstance(stage, Calibrate):  # from here on they are where they really are
            sensors = stage.array(sensors)
    return costs


def chain_cost(stages: Sequence[Stage], sensors: SensorArray, costs: Sequence[HeartCost]) -> HeartCost:
    """Return what stages cost together, given what each costs.

    The operators of spatial stages are multiplied and measured on the heart volume; stages in time multiply power and
    noise and add their delays, since they do the same to every channel.
    """
    matrix = np.eye(len(sensors))
    kept, alike, noise, delay, errors = 1.0, 1.0, 1.0, 0.0, []
    for stage, cost in zip(stages, costs, strict=True):
        delay += cost.delay_s
        if isinstance(stage, Known):
            noise *= cost.noise_gain
            sensors = stage.array(sensors) if isinstance(stage, Calibrate) else sensors
        elif isinstance(stage, Spatial):
            matrix = stage.plan(sensors)(sensors.usable()).matrix(len(sensors)) @ matrix
        else:
            kept, alike, noise = kept * cost.heart_kept, alike * cost.map_correlation, noise * cost.noise_gain
            errors.append(cost.map_error)
    space = cost_of(matrix, sensors)
    return HeartCost(
        kept * space.heart_kept,
        alike * space.map_correlation,
        noise * space.noise_gain,
        delay,
        float(np.sqrt(np.sum(np.square([*errors, space.map_error])))),
        space.map_angle,
    )
