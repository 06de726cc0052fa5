"""The named scenes: what each preset's name stands for, and whose hearts are under the array."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from zeromag.acquire.options import Options
from zeromag.acquire.vcg import read_vcg
from zeromag.physics.heart import Heart, SameniHeart, Site, spread_sites
from zeromag.physics.rhythm import Rhythm
from zeromag.physics.sameni import FETAL

MOTHER = (0.02, 0.30, -0.13)  # m, a mother's heart above an array over the womb


@dataclass(frozen=True, slots=True)
class Preset:
    """What a preset's name stands for: its own defaults, as a query, and who is under the array."""

    keys: str
    hearts: Callable[[Options], tuple[Heart, ...]]


def place(options: Options) -> tuple[float, float, float]:
    """Return where the heart is: m."""
    return options.x * 1e-3, options.y * 1e-3, -options.depth * 1e-3


def _adult(options: Options) -> tuple[Heart, ...]:
    rhythm = Rhythm(
        options.heart_rate,
        options.variability,
        variation=options.variation,
        ectopic_every=options.ectopic_every,
    )
    heart = SameniHeart(
        place(options),
        rhythm=rhythm,
        peak=options.moment * 1e-6,
        t_scale=options.t_scale,
        t_turn=np.radians(options.t_turn_deg),
        st_level=options.st_level,
        qrs_stretch=options.qrs_stretch,
        pr_shift=options.pr_shift_ms * 1e-3,
        t_shift=options.t_shift_ms * 1e-3,
        sites=spread_sites(options.spread_mm * 1e-3) if options.spread_mm else (Site(),),
    )
    return (heart,)


def _vcg(options: Options) -> tuple[Heart, ...]:
    if not options.record:
        raise ValueError("give record=PATH of a WFDB record with the Frank leads vx, vy, vz")
    return (read_vcg(options.record, options.rate, place=place(options), peak=options.moment * 1e-6),)


def _nobody(options: Options) -> tuple[Heart, ...]:  # noqa: ARG001 - a room without a heart
    return ()


def _fetal(options: Options) -> tuple[Heart, ...]:
    """Return the fetus, head down and turned to its side, and its mother."""
    (adult,) = _adult(options)
    if not isinstance(adult, SameniHeart):
        raise TypeError(f"a fetus is a SameniHeart, got {type(adult).__name__}")
    turn = np.array([[-0.6, -0.8, 0.0], [0.8, -0.6, 0.0], [0.0, 0.0, 1.0]])
    fetus = replace(adult, vector=FETAL, turn=turn)
    if not options.mother:
        return (fetus,)
    return fetus, SameniHeart(MOTHER, rhythm=Rhythm(options.mother_rate), peak=options.mother * 1e-6)


PRESETS: dict[str, Preset] = {
    "adult": Preset("", _adult),
    "vcg": Preset("", _vcg),
    "empty-room": Preset("", _nobody),
    # Wurm 2023, week 26 to 36: PR 104 ms, QRS 52.6 ms, QTc 387 ms; the published vector alone is shorter
    "fetal": Preset(
        "heart_rate=140&variability=0.02&moment=1&t_scale=1&x=15&y=-10&depth=70"
        "&qrs_stretch=2.02&pr_shift_ms=57&t_shift_ms=90",
        _fetal,
    ),
    # 128 beats a minute, extra beats, trembling bed, heavier breathing, sensors as they come
    "stress": Preset(
        "heart_rate=128&variability=0.015&ectopic_every=17&st_level=0.06&t_scale=0.5&room=light&sensor=qzfm-gen3"
        "&tremble_um=20&breath_mm=4&recoil_mm=0.3&gain_error=0.02&tilt_deg=1&drift_pT=80",
        _adult,
    ),
    # sensors on the chest: 20 mm nearer, breathing and recoiling with it, each a little differently; the heart
    # goes 5 mm down and up as the lungs fill (Shechter 2004)
    "wearable": Preset(
        "depth=80&rows=5&columns=5&room=light&sensor=qzfm-gen3&breath_mm=3&heart_mm=2.5&recoil_mm=0.3&loose=0.3"
        "&gain_error=0.03&tilt_deg=3&position_mm=3&crosstalk=0.02",
        _adult,
    ),
    # known coils around sensors as they come: what `zeromag bench array` calibrates by
    "coils": Preset(
        "drives=loop,uniform,onboard&references=0&lift_pT=0&bandwidth=135"
        "&gain_error=0.03&tilt_deg=2&position_mm=2&crosstalk=0.02",
        _nobody,
    ),
    # a light room forty metres from a tram line, a railway behind it
    "street": Preset("room=light&tram_nT=60&rail_pT=20", _adult),
    "unshielded": Preset("room=none&sensor=scalar-unshielded&rail_pT=300", _adult),
}
