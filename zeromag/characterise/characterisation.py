"""Measure everything that a record of an array allows, in the units of a report."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from zeromag.characterise.coil_findings import measure_coils
from zeromag.characterise.common_mode import CommonMode, common_mode
from zeromag.characterise.digitiser import digitiser
from zeromag.characterise.findings import Characterisation
from zeromag.characterise.lines import clear_of, find_lines, measure_line
from zeromag.characterise.measured import Measured, around, median_over, unknown
from zeromag.characterise.noise import fit_noise, median_density
from zeromag.characterise.own_noise import own_spectrum
from zeromag.characterise.record import Record
from zeromag.characterise.residual_field import NAMES, residual_field
from zeromag.characterise.shielding import shielding
from zeromag.characterise.spectrum import spectrum
from zeromag.characterise.stability import allan, drift
from zeromag.characterise.timing import timing
from zeromag.characterise.tones import Tones, measure_tones
from zeromag.characterise.turned_by_field import turned_by_field
from zeromag.physics.coils import Drive

PARTS = ("noise", "lines", "stability", "digitiser", "common_mode", "room", "coils", "crosstalk", "response",
         "shielding", "timing")  # fmt: skip
FEMTO, PICO, NANO = 1e15, 1e12, 1e9
DOUBTFUL = 3.0  # times the scatter of noise about its model
STRANGE = 6.0  # the same, of a single channel


def characterise(
    record: Record,
    *,
    drives: Sequence[Drive] = (),
    against: Record | None = None,
    parts: Sequence[str] = PARTS,
    progress: Callable[[float, float], None] | None = None,
) -> Characterisation:
    """Measure every part that the record allows.

    Raises
    ------
    ValueError
        If a part is not known.
    """
    if unknown_parts := [part for part in parts if part not in PARTS]:
        raise ValueError(f"a part is one of {', '.join(PARTS)}, got {unknown_parts[0]}")
    heard = [drive for drive in drives if drive.frequency < record.rate / 2]
    tones, reason = _tones(record, heard)
    quiet = record if tones is None else tones.taken_from(record)
    found = Characterisation(record, quiet)
    if reason:
        found.why_not["coils"] = reason
    if not record.good().any():
        found.why_not = dict.fromkeys(parts, "no channel has a signal")
        return found
    found.spectrum = spectrum(np.where(quiet.good(), quiet.data, np.nan), record.rate)
    played = [drive.frequency for drive in heard]
    lines = [line for line in find_lines(found.spectrum) if all(abs(line - tone) > 0.3 for tone in played)]
    clear = clear_of(found.spectrum.frequency, lines, [] if tones is None else played)
    level, _ = median_density(found.spectrum, clear)
    common = common_mode(quiet, lines, level)
    wanted_coils = bool({"coils", "crosstalk", "response"} & set(parts))
    unheard = measure_coils(found, tones, heard, parts) if wanted_coils else ""
    found.own, told = own_spectrum(quiet, found.spectrum, _gains(found, common))
    steps: dict[str, Callable[[], str]] = {
        "noise": lambda: _noise(found, clear, told),
        "lines": lambda: _lines(found, lines),
        "stability": lambda: _stability(found),
        "digitiser": lambda: _digitiser(found),
        "common_mode": lambda: _common_mode(found, common),
        "coils": lambda: unheard,
        "room": lambda: _room(found),
        "shielding": lambda: _shielding(found, against),
        "timing": lambda: _timing(found),
    }
    wanted = [name for name in steps if name in parts or (name == "coils" and wanted_coils)]
    for k, name in enumerate(wanted):
        if progress is not None:
            progress(k, len(wanted))
        if reason := steps[name]():
            found.why_not[name] = reason
    return found


def _gains(found: Characterisation, common: CommonMode | None) -> NDArray[np.float64] | None:
    """Return the gains that even the channels out: those that coils told of all, or those that lines did."""
    fit = found.calibration
    if fit is not None and fit.known()[found.quiet.good() & found.quiet.sensors.located()].all():
        return fit.gain
    return None if common is None else common.gain


def _tones(record: Record, heard: Sequence[Drive]) -> tuple[Tones | None, str]:
    """Return what the known coils play, or why that cannot be measured."""
    if not heard:
        return None, ""
    try:
        return measure_tones(record, np.array([drive.frequency for drive in heard])), ""
    except ValueError as error:
        return None, str(error)


def _noise(found: Characterisation, clear: NDArray[np.bool_], told: NDArray[np.bool_]) -> str:
    """Fit the noise of every channel."""
    if found.own is None or (clear & found.own.band(0.5, 120.0)).sum() < 12:
        return "the record is too short: 12 clear bins from 0.5 to 120 Hz are needed"
    fit = fit_noise(found.own, clear)
    good = found.record.good()
    if good.any() and np.nanmedian(fit.misfit[good]) > DOUBTFUL:
        found.cautions.append(
            "The noise is not white plus 1/f: a heart or a machine is near the array; white, corner and exponent "
            "are not the sensors', so measure the empty room."
        )
    strange = [found.record.sensors.names[c] for c in np.flatnonzero(good & (fit.misfit > STRANGE)).tolist()]
    if strange and len(strange) < good.sum() / 2:
        found.cautions.append(
            f"The noise of {', '.join(strange)} does not follow the model: doubt their white and corner."
        )
    steep = good & np.isnan(fit.corner) & np.isfinite(fit.white)
    if steep.any():
        found.cautions.append(
            f"Towards low frequencies the noise of {steep.sum()} channels rises faster than any sensor's: a field of "
            "the room, or a record too short to tell; their corner and exponent are left out."
        )
    level, error = median_density(found.own, clear)
    how = "Whittle likelihood, Fisher information"
    found.each_positive("white", fit.white * FEMTO, fit.white_error, "fT/√Hz", how)
    found.each_positive("corner", fit.corner, fit.corner_error, "Hz", how)
    found.each("exponent", fit.exponent, fit.exponent_error, "1", how)
    found.each_positive("density", level * FEMTO, error, "fT/√Hz", "number of windows and bins")
    heart = found.record.sensors.of_kind("mag")
    rows = heart if len(heart) else np.arange(len(found.record.sensors))
    found.array |= {
        "white": median_over(fit.white[rows] * FEMTO, "fT/√Hz"),
        "corner": median_over(fit.corner[rows], "Hz"),
        "exponent": median_over(fit.exponent[rows], "1"),
        "density": median_over(level[rows] * FEMTO, "fT/√Hz"),
        "own_noise": unknown(float(told.sum()), "channels"),
    }
    return ""


def _lines(found: Characterisation, lines: list[float]) -> str:
    """Measure the twelve strongest lines."""
    record = found.quiet
    data = np.where(record.good(), record.data, np.nan)
    measured = [measure_line(data, record.rate, line) for line in lines]
    measured.sort(key=lambda line: -float(np.nanmedian(line.amplitude)))
    for line in sorted(measured[:12], key=lambda line: line.frequency):
        found.lines.append((line.frequency, median_over(line.amplitude * FEMTO, "fT")))
        found.each(
            f"line_{line.frequency:.2f}_Hz", line.amplitude * FEMTO, line.error * FEMTO, "fT", "scatter of windows"
        )
    return "" if lines else "no line stands out of the noise"


def _stability(found: Characterisation) -> str:
    """Measure Allan deviation and drift."""
    record = found.quiet
    data = np.where(record.good(), record.data, np.nan)
    found.allan = allan(data, record.rate)
    slope, error = drift(data, record.rate)
    how = "slow noise c/f^a"
    found.each("drift", 60 * slope * PICO, 60 * error * PICO, "pT/min", how)
    found.array["drift"] = median_over(np.abs(60 * slope * PICO), "pT/min")
    if len(found.allan.tau):
        each = np.array([np.nanmedian(row) if np.isfinite(row).any() else np.nan for row in found.allan.deviation])
        for tau in (1.0, 10.0):
            k = int(np.argmin(np.abs(found.allan.tau - tau)))
            if 0.6 < found.allan.tau[k] / tau < 1.7:
                value, low, high = (each[k] * FEMTO * x for x in (1.0, found.allan.low[k], found.allan.high[k]))
                found.array[f"allan_{tau:g}_s"] = Measured(value, low, high, "fT", "χ² of one channel")
    return ""


def _digitiser(found: Characterisation) -> str:
    """Measure step, range and rails."""
    record = found.record
    seen = digitiser(record)
    found.each("step", seen.step * FEMTO, None, "fT")
    found.each("rounding_noise", seen.noise(record.rate) * FEMTO, None, "fT/√Hz")
    found.each("range", seen.limit * NANO, None, "nT")
    found.each("largest", seen.largest * NANO, None, "nT")
    found.each("railed", 100 * seen.railed, None, "%")
    if found.own is not None:
        level, _ = median_density(found.own, np.ones(len(found.own.frequency), dtype=np.bool_))
        with np.errstate(divide="ignore", invalid="ignore"):
            span = 20 * np.log10(seen.limit / (level * np.sqrt(100.0)))
        found.each("dynamic_range", span, None, "dB")
        if np.isfinite(span).any():
            found.array["dynamic_range"] = median_over(span, "dB")
    found.array["railed"] = unknown(float(100 * np.nanmax(seen.railed)), "%")
    return ""


def _common_mode(found: Characterisation, seen: CommonMode | None) -> str:
    """Tell gain spread and rejection."""
    if seen is None:
        return "needs 12 located channels and a line 40 dB above their noise"
    found.array["gain_spread"] = seen.spread.scaled(100, "%")
    found.array["rejection"] = seen.rejection
    found.each("relative_gain", seen.gain, seen.error, "1", "noise of the sensors")
    return ""


def _room(found: Characterisation) -> str:
    """Measure the static field and gradients."""
    seen = residual_field(found.quiet)
    if seen is None:
        return "needs 4 located channels"
    for k, name in enumerate(NAMES):
        if np.isfinite(seen.strengths[k]):
            unit, scale = ("nT", NANO) if k < 3 else ("nT/m", NANO)
            found.array[name] = around(seen.strengths[k] * scale, seen.errors[k] * scale, unit, "least squares")
    found.array["not_uniform"] = unknown(seen.left_over * NANO, "nT")
    if found.response is not None:
        turned, error = turned_by_field(seen, found.record.sensors, found.response.bandwidth)
        found.each("turned_by_field", np.degrees(turned), np.degrees(error), "°", "least squares")
        if np.isfinite(turned).any():
            found.array["turned_by_field"] = median_over(np.degrees(turned), "°")
    return ""


def _shielding(found: Characterisation, against: Record | None) -> str:
    """Compare with the other recording."""
    if against is None:
        return "no second recording: give --against RECORDING"
    try:
        bands = shielding(found.quiet, against)
    except ValueError as error:
        return str(error)
    for name, figure in bands.items():
        found.array[f"shielding {name}"] = figure
    return ""


def _timing(found: Characterisation) -> str:
    """Compare clocks."""
    seen = timing(found.record)
    if seen is None:
        return "no arrival times: only a live stream has them"
    found.array["clock_drift"] = seen.drift
    found.array["late_p99"] = seen.late
    return ""
