"""The few numbers a user looks at, as words: state, heart rate, beats, loss, latency, usable."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass

import numpy as np

from zeromag.viz.feed import Feed
from zeromag.viz.report_tables import figure_words, parameter_name
from zeromag.viz.status import Cleaning, Figure, Status

FIRST = (  # what is looked at first; the others follow
    "qrs", "qt", "qtc_fridericia", "pr", "tpeak_tend", "map_angle_R", "map_angle_T", "r_t_angle", "pole_distance_T",
    "pole_ratio_T", "current_angle_T",
)  # fmt: skip
BANDS = 3  # that have room in a line


@dataclass(frozen=True, slots=True)
class Reading:
    """One number with its name; `tone` is `text`, `good`, `warning` or `alarm`."""

    name: str
    value: str
    tone: str = "text"


class Latency:
    """Time from the device to the picture over the last pictures."""

    def __init__(self, pictures: int = 300) -> None:
        self._taken: deque[float] = deque(maxlen=pictures)
        self._drawn: deque[int] = deque(maxlen=pictures)  # when, ns

    def drawn(self, t_ns: int, now_ns: int) -> None:
        """Take one picture; a time that cannot be from this machine's clock is left out."""
        late = (now_ns - t_ns) / 1e6
        if t_ns > 0 and 0 <= late < 60_000:
            self._taken.append(late)
            self._drawn.append(now_ns)

    @property
    def count(self) -> int:
        """Pictures that are known."""
        return len(self._taken)

    def taken(self) -> list[float]:
        """Return each of them, ms."""
        return list(self._taken)

    @property
    def pace(self) -> float:
        """Return how many of them were drawn a second."""
        spent = self._drawn[-1] - self._drawn[0] if self._drawn else 0
        return 1e9 * (len(self._drawn) - 1) / spent if spent else 0.0

    def clear(self) -> None:
        """Forget them, and begin anew."""
        self._taken.clear()
        self._drawn.clear()

    def quantiles(self) -> tuple[float, float] | None:
        """Return median and 99th percentile in ms, or None before the first picture."""
        if not self._taken:
            return None
        p50, p99 = np.percentile(np.array(self._taken), [50, 99])
        return float(p50), float(p99)


def readings(feed: Feed, latency: Latency | None = None) -> list[Reading]:
    """Return what the header shows."""
    status = feed.status
    rate = status.heart_rate
    beats = sum(status.beats.values())
    rows = [
        Reading("heart rate", "—" if rate is None else f"{rate.value:.0f} /min"),
        Reading("beats", _beats(status) if beats else "0"),
        _usable(status),
        Reading("lost", f"{status.lost} samples" if status.lost else "0", "alarm" if status.lost else "good"),
    ]
    if latency is not None:
        spread = latency.quantiles()
        late = "—" if spread is None else f"{spread[0]:.0f} / {spread[1]:.0f} ms"
        rows.append(Reading("latency p50 / p99", late))
    return rows


def parameter_rows(parameters: dict[str, Figure]) -> list[tuple[str, str, str]]:
    """Return name, value with unit and 95 % interval of each parameter, the most looked at first."""
    ordered = [name for name in FIRST if name in parameters] + [name for name in parameters if name not in FIRST]
    return [(parameter_name(name), *figure_words(asdict(parameters[name]))) for name in ordered]


def source_words(status: Status) -> str:
    """Return where the samples come from, and that they are made up when they are."""
    return f"simulated · {status.source.removeprefix('sim:')}" if status.simulated else status.source


def shielding_words(step: Cleaning) -> str:
    """Return what a cleaning step takes away in the bands where that is most, and its noise and delay."""
    found = [(band, value) for band, value in step.shielding_db.items() if value is not None and value >= 1]
    most = sorted(value for _, value in found)[-BANDS:]
    bands = [(band, value) for band, value in found if value in most]
    taken = ", ".join(
        f"{value:.0f} dB at {band}" if k == 0 else f"{value:.0f} at {band.removesuffix(' Hz')}"
        for k, (band, value) in enumerate(bands)
    )
    noise = [] if step.noise_gain is None else [f"noise ×{step.noise_gain:.2f}"]
    late = [] if not step.delay_s or step.delay_s < 5e-5 else [f"{1e3 * step.delay_s:.1f} ms late"]
    return "  ".join([taken or "no shielding", *noise, *late])


def kept_words(step: Cleaning) -> str:
    """Return what is left of the heart by its lead field, and of a known one that ran beside the stream."""
    if step.heart_kept is None:
        return ""
    beside = (step.injected or {}).get("heart_kept")
    seen = "" if beside is None else f", {beside:.0%} beside"
    turned = "" if not step.map_angle or step.map_angle < 0.5 else f", turned {step.map_angle:.0f}°"
    return f"{step.heart_kept:.1%} kept{seen}{turned}"


def _beats(status: Status) -> str:
    main = "fetal" if "fetal" in status.beats else "normal"
    others = {kind: n for kind, n in status.beats.items() if kind != main and n}
    text = str(status.beats.get(main, 0))
    return text + "".join(f" + {n} {kind}" for kind, n in others.items())


def _usable(status: Status) -> Reading:
    answer = status.usable.answer
    tone = {"yes": "good", "no": "alarm"}.get(answer, "warning")
    needed = status.usable.seconds_needed
    if answer == "not yet" and needed:
        answer = f"in {needed:.0f} s"
    return Reading("usable", answer, tone)
