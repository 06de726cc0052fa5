"""A tram line: the current between overhead wire and rails, a loop that grows and shrinks as the tram runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag.physics.conductor import MU0_4PI
from zeromag.physics.outside import FieldStream, middle, rms_over_heart_channels
from zeromag.physics.shielding import Shielding
from zeromag.sensors import SensorArray

STREET, RAILS, WIRE = 40.0, -4.0, 1.5  # m from the array: how far off the line is, how high rails and wire
SUBSTATION, STOP, END = -600.0, 30.0, 300.0  # m along the line, from the array's foot; trams appear at -END
SPEED, BRAKING = 10.0, 1.0  # m/s, m/s² both ways
DWELL_S = 20.0
REGENERATED, RUNNING = -0.5, 0.15  # of the starting current, while braking and while rolling
RAMP_S = 1.5  # s, how fast the current changes
STEP = 2.0  # m of the line between the places at which its field is reckoned
TRAM_HZ = 0.1  # where the shield is asked


@dataclass(frozen=True, slots=True)
class Tram:
    """A tram that comes every `period_s`, brakes, stops near the building and starts again.

    The current flows from the substation through the wire, the tram and the rails back: one closed rectangular
    loop. What leaks from the rails into the ground is left out, and so is the steel of the car.
    """

    amplitude: float  # T outside, largest change, rms over the heart channels
    shielding: Shielding
    period_s: float = 150.0
    start_s: float = 5.0

    @property
    def name(self) -> str:
        """One word for the ground truth."""
        return "tram"

    def start(self, sensors: SensorArray, rate: float, seed: tuple[int, ...]) -> FieldStream:
        """Return the line's field at these sensors."""
        random = np.random.default_rng(np.random.SeedSequence(seed))
        away = sensors.positions - middle(sensors)
        turn = random.uniform(0, 2 * np.pi)  # which way the street runs past the patient's feet, head or side
        # the array's z is up where the patient lies: x along the line, y across it
        east = np.array([[np.cos(turn), np.sin(turn), 0.0], [-np.sin(turn), np.cos(turn), 0.0], [0.0, 0.0, 1.0]])
        places = np.arange(-END, END + STEP, STEP)
        fields = np.array([loop_field(place, away @ east.T) for place in places])  # (places, n, 3) T/A
        pattern = (fields @ east * sensors.axes).sum(axis=-1)
        time = np.arange(0.0, self.period_s, 0.1)
        seen = self.current(time)[:, None] * _between(pattern, self.place(time))
        pattern *= self.amplitude / float(self.shielding.factor(TRAM_HZ))
        pattern /= max(rms_over_heart_channels(row, sensors) for row in seen)

        def field(first: int, samples: int) -> NDArray[np.float64]:
            since = (first + np.arange(samples)) / rate - self.start_s
            since = np.where(since < 0, -1.0, since % self.period_s)
            current = self.current(since)
            if not current.any():
                return np.broadcast_to(np.zeros(len(sensors)), (samples, len(sensors)))
            return current[:, None] * _between(pattern, self.place(since))

        return field

    def place(self, since: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where the tram is, `since` seconds after it appeared: m along the line."""
        brake, halt, leave, _ = _times()
        slowing = np.clip(since - brake, 0, halt - brake)
        speeding = np.clip(since - leave, 0, SPEED / BRAKING)
        place: NDArray[np.float64] = (
            -END
            + SPEED * np.clip(since, 0, brake)
            + (SPEED - BRAKING * slowing / 2) * slowing
            + BRAKING * speeding**2 / 2
            + SPEED * np.maximum(since - leave - SPEED / BRAKING, 0)
        )
        return np.minimum(place, END)

    def current(self, since: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the current, 1 while the tram starts, `since` seconds after it appeared."""
        brake, halt, leave, gone = _times()
        steps = (
            (0.0, RUNNING),
            (brake, REGENERATED),
            (halt - RAMP_S, RUNNING),
            (leave, 1.0),
            (leave + SPEED / BRAKING, RUNNING),
            (gone - RAMP_S, 0.0),
        )
        out, before = np.zeros_like(since), 0.0
        for at, level in steps:
            part = np.clip((since - at) / RAMP_S, 0, 1)
            out += (level - before) * part * part * (3 - 2 * part)
            before = level
        out[(since < 0) | (since >= gone)] = 0.0  # exactly, so that an empty line costs nothing
        return out


def loop_field(place: float, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return B per ampere of the loop from the substation to a tram at `place` (m): (n, 3) T/A.

    Biot-Savart of each straight side from r1 to r2: B = µ0 I/4π · a×b (|a|+|b|) / (|a||b| (|a||b| + a·b)),
    a = r - r1, b = r - r2.

    Parameters
    ----------
    points : (n, 3) m from the array's middle: x along the line, y away from it, z up
    """
    corners = np.array(
        [[SUBSTATION, -STREET, RAILS], [SUBSTATION, -STREET, WIRE], [place, -STREET, WIRE], [place, -STREET, RAILS]]
    )
    out = np.zeros((len(points), 3))
    for begin, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        a, b = points - begin, points - end
        far, near = np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1)
        both = far * near
        out += np.cross(a, b) * ((far + near) / (both * (both + (a * b).sum(axis=1))))[:, None]
    return MU0_4PI * out


def _times() -> tuple[float, float, float, float]:
    """Return when a tram brakes, stands, leaves and is gone: s after it appeared."""
    way = SPEED**2 / (2 * BRAKING)
    brake = (END + STOP - way) / SPEED
    halt = brake + SPEED / BRAKING
    leave = halt + DWELL_S
    return brake, halt, leave, leave + SPEED / BRAKING + (END - STOP - way) / SPEED


def _between(pattern: NDArray[np.float64], place: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the pattern (places, n_channels) at these places, straight between those that were reckoned."""
    row = np.clip((place + END) / STEP, 0, len(pattern) - 1.000001)
    low = row.astype(np.int64)
    part = (row - low)[:, None]
    between: NDArray[np.float64] = (1 - part) * pattern[low] + part * pattern[low + 1]
    return between
