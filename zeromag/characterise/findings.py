"""What was measured of an array: figures of the whole and of each channel, and why a part is missing."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from zeromag.characterise.coil_calibration import Calibration
from zeromag.characterise.crosstalk import Crosstalk
from zeromag.characterise.measured import Measured, around, around_log, unknown
from zeromag.characterise.record import Record
from zeromag.characterise.response import Response
from zeromag.characterise.spectrum import Spectrum
from zeromag.characterise.stability import Allan


@dataclass(slots=True)
class Characterisation:
    """What was measured; `why_not` says why a part was left out, `cautions` what to doubt."""

    record: Record
    quiet: Record  # the same without the tones of known coils
    array: dict[str, Measured] = field(default_factory=dict)
    channels: dict[str, dict[str, Measured]] = field(default_factory=dict)
    lines: list[tuple[float, Measured]] = field(default_factory=list)  # Hz, median amplitude
    why_not: dict[str, str] = field(default_factory=dict)
    cautions: list[str] = field(default_factory=list)
    spectrum: Spectrum | None = None
    own: Spectrum | None = None
    allan: Allan | None = None
    response: Response | None = None
    crosstalk: Crosstalk | None = None
    calibration: Calibration | None = None

    def each(
        self,
        name: str,
        values: NDArray[np.float64],
        errors: NDArray[np.float64] | None,
        unit: str,
        how: str = "",
    ) -> None:
        """Set one figure of every channel that has a finite one, ± 1.96 standard errors."""
        for c, channel in enumerate(self.record.sensors.names):
            if np.isfinite(values[c]):
                value = float(values[c])
                figure = unknown(value, unit) if errors is None else around(value, float(errors[c]), unit, how)
                self.channels.setdefault(channel, {})[name] = figure

    def each_positive(
        self, name: str, values: NDArray[np.float64], relative: NDArray[np.float64], unit: str, how: str
    ) -> None:
        """Set one positive figure of every channel, its interval by a relative standard error."""
        for c, channel in enumerate(self.record.sensors.names):
            if np.isfinite(values[c]):
                figure = around_log(float(values[c]), float(relative[c]), unit, how)
                self.channels.setdefault(channel, {})[name] = figure
