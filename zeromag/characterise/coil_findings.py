"""What known coils tell of an array: response, crosstalk, calibration, each correcting the next."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zeromag.characterise.coil_calibration import Calibration, calibrate
from zeromag.characterise.crosstalk import Crosstalk, crosstalk
from zeromag.characterise.findings import Characterisation
from zeromag.characterise.measured import median_over, spread_over, unknown
from zeromag.characterise.response import DELAYS, Response, frequency_response
from zeromag.characterise.tones import Tones
from zeromag.physics.coils import Drive


def measure_coils(found: Characterisation, tones: Tones | None, heard: Sequence[Drive], parts: Sequence[str]) -> str:
    """Measure response, crosstalk and calibration; return why nothing could be."""
    if tones is None:
        return found.why_not.get("coils") or "no coil is known: give --coils FILE"
    record = found.record
    found.response = frequency_response(tones, heard)
    follow = None if found.response is None else found.response.at(tones.frequency)
    found.crosstalk = mixed = crosstalk(tones, heard, record.sensors, follow)
    amplitude = tones.amplitude if mixed is None else mixed.undo(tones.amplitude, follow)
    doubt = None if mixed is None else mixed.error
    found.calibration = calibrate(amplitude, tones, heard, record.sensors, doubt)
    if found.calibration is not None and "coils" in parts:
        _tell_fit(found, found.calibration)
    if found.crosstalk is not None and "crosstalk" in parts:
        _tell_crosstalk(found, found.crosstalk)
    if found.response is not None and "response" in parts:
        _tell_response(found, found.response)
    missing = (
        ("coils", found.calibration, "six loops (seen by located channels)"),
        ("crosstalk", found.crosstalk, "onboard coils"),
        ("response", found.response, "five uniform tones"),
    )
    for part, result, needs in missing:
        if part in parts and result is None:
            found.why_not[part] = f"needs {needs} among the known coils"
    return found.why_not.get("coils", "")


def _tell_fit(found: Characterisation, fit: Calibration) -> None:
    """Set gain, place and axis."""
    how = "Levenberg-Marquardt, widened by misfit"
    drawn = found.record.sensors
    moved = 1e3 * np.linalg.norm(fit.positions - drawn.positions, axis=1)
    turned = np.degrees(np.arccos(np.clip((fit.axes * drawn.axes).sum(axis=1), -1, 1)))
    found.each("gain", fit.gain, fit.gain_error, "1", how)
    found.each("moved", moved, 1e3 * fit.moved_error, "mm", how)
    found.each("turned", turned, np.degrees(fit.turned_error), "°", how)
    found.each("time_constant", 1e3 * fit.slowness, 1e3 * fit.slowness_error, "ms", how)
    found.each("misfit", 100 * fit.misfit, None, "%")
    found.array["gain"] = median_over(fit.gain, "1")
    found.array["gain_by_coils_spread"] = spread_over(100 * fit.gain, "%")
    found.array["moved"] = median_over(moved, "mm")
    found.array["turned"] = median_over(turned, "°")


def _tell_crosstalk(found: Characterisation, mixed: Crosstalk) -> None:
    """Set the largest neighbour of each channel."""
    fit = found.calibration
    gain = np.ones(len(mixed.mixing)) if fit is None else np.where(fit.known(), fit.gain, 1.0)
    pure = mixed.pure(gain)
    rows = np.arange(len(pure))
    worst = np.argmax(np.abs(pure), axis=1)
    found.each("crosstalk", 100 * pure[rows, worst], 100 * mixed.error[rows, worst], "%", "scatter of windows")
    found.array["crosstalk"] = unknown(float(100 * np.abs(pure).max()), "%")


def _tell_response(found: Characterisation, seen: Response) -> None:
    """Set bandwidth, rise time and delays."""
    how = "scatter of windows"
    found.each("bandwidth", seen.bandwidth, seen.bandwidth_error, "Hz", how)
    found.each("rise", 1e3 * seen.rise, None, "ms")
    if np.isfinite(seen.bandwidth).any():
        found.array["bandwidth"] = median_over(seen.bandwidth, "Hz")
    for k, at in enumerate(DELAYS):
        delay = 1e3 * seen.delay[k]
        found.each(f"delay_{at:g}_Hz", delay, 1e3 * seen.delay_error[k], "ms", how)
        if np.isfinite(delay).any():
            found.array[f"delay_{at:g}_Hz"] = median_over(delay, "ms")
            found.array[f"delay_spread_{at:g}_Hz"] = spread_over(delay, "ms")
