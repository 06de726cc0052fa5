"""What the adaptive filters share: reference channels as regressors, and errors that no QRS can dominate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from zeromag._jit import BOOL, F64, I64, compiled, kernel
from zeromag._lanes import LANES, Lanes, above_zero, element, fma, if_nan, larger, load, size, smaller, splat, store
from zeromag.block import Block
from zeromag.filters.bad_samples import bad_samples
from zeromag.filters.known_heart import random_lead_field
from zeromag.physics.halfspace import HalfSpace
from zeromag.physics.heart_volume import HeartVolume
from zeromag.sensors import SensorArray
from zeromag.stage import Step

ENOUGH = 6  # references that can be made blind to the heart and still see the room
SCALE_S = 2.0  # memory of the usual size of an error


class Memory(NamedTuple):
    """What a running adaptive filter knows; channel arrays are as wide as whole lanes (`width`), NaN: not begun."""

    refs: I64  # (n_refs,) columns of the references
    mags: I64  # (n_mag,) columns of the primaries
    mix: F64  # (n_refs, n_mixed) combinations of references that are used
    gain: float  # of the slow mean, a sample
    slow: F64  # (n_refs,) T, slow mean of each reference
    held: F64  # (n_refs,) T, last good value about it
    line: F64  # (taps, n_mixed) T, the regressors: newest first
    mag_slow: F64  # (width,) T, slow mean of each primary
    clip: float  # times the usual size of an error
    scale_gain: float  # of that size, a sample
    scale: F64  # (width,) T, that size


@kernel
def regressors(x: F64, bad: BOOL, start: int, memory: Memory, known: F64) -> None:
    """Write the regressors behind each sample from `start` on: (sample, taps x mixed), newest first.

    References are taken about their slow mean; a bad one repeats its last good value.
    """
    line, slow, held, mix, refs = memory.line, memory.slow, memory.held, memory.mix, memory.refs
    taps, mixed = line.shape
    for t in range(known.shape[0]):
        for j in range(taps - 1, 0, -1):
            for k in range(mixed):
                line[j, k] = line[j - 1, k]
        for c in range(len(refs)):
            column = refs[c]
            value = x[start + t, column]
            if not bad[start + t, column] and np.isfinite(value):
                if np.isnan(slow[c]):
                    slow[c] = value
                slow[c] += memory.gain * (value - slow[c])
                held[c] = value - slow[c]
        for k in range(mixed):
            total = 0.0
            for c in range(len(held)):
                total += mix[c, k] * held[c]
            line[0, k] = total
        for j in range(taps):
            for k in range(mixed):
                known[t, j * mixed + k] = line[j, k]


@kernel
def predicted(weights: F64, c: int, known: F64, t: int) -> Lanes:
    """Return what the regressors of sample `t` say of the sixteen primaries from `c` on."""
    count, width = weights.shape
    said = splat(0.0)
    for k in range(count):
        said = fma(load(weights, k * width + c), splat(element(known, t * count + k)), said)
    return said


@kernel
def error(
    value: Lanes, said: Lanes, good: Lanes, mean: Lanes, scale: Lanes, gain: float, clip: float, scale_gain: float
) -> tuple[Lanes, Lanes, Lanes]:
    """Return what to learn from, 0 where bad, and the slow mean and the usual size of an error moved on.

    Learned from is the error about the primary's slow mean, clipped at `clip` times its usual size; 0 clips nothing.
    Numbers one by one: to hand over a whole memory takes three times as long as all else that a sample needs.
    """
    zero = splat(0.0)
    slow = if_nan(mean, value)
    slow = slow + splat(gain) * (value - slow)
    wrong = value - slow - said
    usual = scale
    if clip > 0.0:
        usual = if_nan(scale, size(wrong))
        limit = splat(clip) * usual
        wrong = above_zero(limit, smaller(larger(wrong, zero - limit), limit), wrong)
        usual = usual + splat(scale_gain) * (size(wrong) - usual)
    return above_zero(good, wrong, zero), above_zero(good, slow, mean), above_zero(good, usual, scale)


@kernel
def followed(rows: F64, trust: F64, known: F64, steps: F64, memory: Memory, weights: F64) -> None:
    """Take the prediction off each sample, and let the weights learn: e = y - w·x,  w ← w + step·e.

    `rows` and `trust` are (sample, width), `known` and `steps` (sample, regressor), `weights` (regressor, width).
    The weights of sixteen channels stay in the fastest cache over the block, and learn and predict in one pass.
    """
    samples, width = rows.shape
    count, gain, clip, scale_gain = len(weights), memory.gain, memory.clip, memory.scale_gain
    for c in range(0, width, LANES):
        mean, scale = load(memory.mag_slow, c), load(memory.scale, c)
        said = predicted(weights, c, known, 0)
        for t in range(samples):
            value, good = load(rows, t * width + c), load(trust, t * width + c)
            store(rows, t * width + c, value - said)
            wrong, mean, scale = error(value, said, good, mean, scale, gain, clip, scale_gain)
            now, following = t * count, min(t + 1, samples - 1) * count
            said = splat(0.0)
            for k in range(count):
                place = k * width + c
                weight = fma(splat(element(steps, now + k)), wrong, load(weights, place))
                store(weights, place, weight)
                said = fma(weight, splat(element(known, following + k)), said)
        store(memory.mag_slow, c, mean)
        store(memory.scale, c, scale)


def learning(learn: Callable[..., None], head: Block, memory: Memory, *state: object) -> Step:
    """Return the running filter whose kernel takes samples, mask, memory, its own state and the output."""
    run = compiled(learn, head.data, bad_samples(head), memory, *state, head.data.copy())

    def step(block: Block) -> Block:
        out = block.data.copy()
        run(block.data, bad_samples(block), memory, *state, out)
        return block.with_data(out)

    return step


@dataclass(frozen=True, slots=True)
class Learning:
    """What every adaptive filter can be told about how it learns."""

    taps: int = 1  # samples back that the references are used
    clip: float = 4.0  # times the mean size of the error, beyond which it is clipped; 0: off
    slow: float = 1.0  # s, memory of the mean taken off both sides: the PR baseline takes slower swings
    blind: int = 2  # patterns of the heart that the references are made blind to

    def __post_init__(self) -> None:
        if not 1 <= self.taps <= 64:
            raise ValueError(f"taps must be 1 to 64, got {self.taps}")
        if not self.clip >= 0:
            raise ValueError(f"clip must be 0 (off) or more, got {self.clip}")
        if not self.slow > 0:
            raise ValueError(f"slow must be above 0 s, got {self.slow}")
        if self.blind < 0:
            raise ValueError(f"blind must be 0 or more patterns, got {self.blind}")


def remembering(sensors: SensorArray, rate: float, learning: Learning) -> Memory:
    """Return the memory of an adaptive filter that starts on this array; ValueError if no reference is good."""
    usable = sensors.usable()
    refs, mags = sensors.of_kind("ref"), sensors.of_kind("mag")
    refs = refs[usable[refs]]
    if len(refs) == 0:
        raise ValueError("an adaptive filter needs at least 1 good reference channel, got 0")
    mix = heart_blind(sensors, refs, learning.blind)
    width = -(-len(mags) // LANES) * LANES
    return Memory(
        refs=refs,
        mags=mags,
        mix=mix,
        gain=min(1.0, 1.0 / (learning.slow * rate)),
        slow=np.full(len(refs), np.nan),
        held=np.zeros(len(refs)),
        line=np.zeros((learning.taps, mix.shape[1])),
        mag_slow=np.full(width, np.nan),
        clip=float(learning.clip),
        scale_gain=min(1.0, 1.0 / (SCALE_S * rate)),
        scale=np.full(width, np.nan),
    )


def heart_blind(sensors: SensorArray, refs: NDArray[np.int64], patterns: int) -> NDArray[np.float64]:
    """Return combinations of references that the strongest heart patterns do not reach: (n_refs, n_refs - patterns).

    References 25 cm above a chest still see 8 % of the heart, and in a quiet room a least-squares filter finds it:
    it would take 30 % of the QRS. Blind to two patterns they see 1 %, at the price of 2 dB. With fewer than six
    references, or no heart below the array, all are used as they are.
    """
    heart = random_lead_field(sensors, HalfSpace(), HeartVolume(), 200) if len(refs) >= ENOUGH else None
    if heart is None or patterns == 0 or not sensors.located()[refs].all():
        return np.eye(len(refs))
    left, _, _ = np.linalg.svd(heart[refs], full_matrices=True)
    return np.ascontiguousarray(left[:, min(patterns, len(refs) // 2) :])
