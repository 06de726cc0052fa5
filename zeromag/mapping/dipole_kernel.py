"""The fit of one dipole over a half-space, compiled: moments projected out, Levenberg–Marquardt on the place."""

from __future__ import annotations

import numpy as np

from zeromag._jit import F64, kernel

STEPS = 25
SMALL = 1e-6  # m, of a step that ends the search; the next would be far smaller still
DIFFERENCE = 1e-7  # m, of the one-sided differences: relative error 2e-6 at 10 cm


@kernel
def half_space_gain(place: F64, positions: F64, axes: F64, weight: F64, out: F64) -> None:
    """Write what each sensor reads of unit moments along x and y, times its weight: `out` (n, 2) T/(A·m).

    B = µ0/(4πK²) [((Q×a)·z) ∇K − K z×Q], K = a(a + a·z) (Sarvas 1987).
    """
    for c in range(positions.shape[0]):
        ax, ay, az = positions[c, 0] - place[0], positions[c, 1] - place[1], positions[c, 2] - place[2]
        a = np.sqrt(ax * ax + ay * ay + az * az)
        k = a * (a + az)
        g = 2.0 + az / a
        along = axes[c, 0] * g * ax + axes[c, 1] * g * ay + axes[c, 2] * (g * az + a)
        scale = 1e-7 * weight[c] / (k * k)
        out[c, 0] = scale * (ay * along - k * axes[c, 1])
        out[c, 1] = scale * (-ax * along + k * axes[c, 0])


@kernel
def _project(gain: F64, y: F64, q: F64, basis: F64, rest: F64) -> float:
    """Fit two moments; write them to `q`, an orthonormal basis of the gain to `basis`, the residual to `rest`."""
    n = gain.shape[0]
    aa, ab = 0.0, 0.0
    for c in range(n):
        aa += gain[c, 0] * gain[c, 0]
    norm = np.sqrt(aa)
    for c in range(n):
        basis[c, 0] = gain[c, 0] / norm
        ab += basis[c, 0] * gain[c, 1]
    bb = 0.0
    for c in range(n):
        basis[c, 1] = gain[c, 1] - ab * basis[c, 0]
        bb += basis[c, 1] * basis[c, 1]
    other = np.sqrt(bb)
    first, second = 0.0, 0.0
    for c in range(n):
        basis[c, 1] /= other
        first += basis[c, 0] * y[c]
        second += basis[c, 1] * y[c]
    q[1] = second / other
    q[0] = (first - ab * q[1]) / norm
    square = 0.0
    for c in range(n):
        rest[c] = y[c] - first * basis[c, 0] - second * basis[c, 1]
        square += rest[c] * rest[c]
    return square


@kernel
def _normal(
    place: F64, q: F64, basis: F64, rest: F64, positions: F64, axes: F64, weight: F64, here: F64, high: F64, square: F64
) -> None:
    """Write gradient (column 3) and Fisher matrix (columns 0 to 2) of the place: `square` (3, 4)."""
    n = positions.shape[0]
    slope = np.empty((n, 3))
    point = place.copy()
    for k in range(3):
        point[k] = place[k] + DIFFERENCE
        half_space_gain(point, positions, axes, weight, high)
        point[k] = place[k]
        first, second = 0.0, 0.0
        for c in range(n):
            slope[c, k] = ((high[c, 0] - here[c, 0]) * q[0] + (high[c, 1] - here[c, 1]) * q[1]) / DIFFERENCE
            first += basis[c, 0] * slope[c, k]
            second += basis[c, 1] * slope[c, k]
        for c in range(n):
            slope[c, k] -= first * basis[c, 0] + second * basis[c, 1]
    for k in range(3):
        for j in range(3):
            total = 0.0
            for c in range(n):
                total += slope[c, k] * slope[c, j]
            square[k, j] = total
        total = 0.0
        for c in range(n):
            total += slope[c, k] * rest[c]
        square[k, 3] = total


@kernel
def _solve(square: F64, damp: float, step: F64) -> None:
    """Solve the damped 3×3 system by Cramer's rule."""
    a, b, c = square[0, 0] * (1 + damp), square[0, 1], square[0, 2]
    d, e, f = square[1, 1] * (1 + damp), square[1, 2], square[2, 2] * (1 + damp)
    x, y, z = square[0, 3], square[1, 3], square[2, 3]
    determinant = a * (d * f - e * e) - b * (b * f - e * c) + c * (b * e - d * c)
    if determinant <= 0.0:
        step[:] = 0.0
        return
    step[0] = (x * (d * f - e * e) - b * (y * f - e * z) + c * (y * e - d * z)) / determinant
    step[1] = (a * (y * f - e * z) - x * (b * f - e * c) + c * (b * z - y * c)) / determinant
    step[2] = (a * (d * z - y * e) - b * (b * z - y * c) + x * (b * e - d * c)) / determinant


@kernel
def best_start(y: F64, bases: F64) -> int:
    """Return the grid place whose gain explains most: `bases` (n, 2, n_places), orthonormal at each place.

    Summed channel by channel over all places at once: a sum over channels would wait for each of its additions.
    """
    first, second = np.zeros(bases.shape[2]), np.zeros(bases.shape[2])
    for c in range(y.shape[0]):
        value = y[c]
        for p in range(bases.shape[2]):
            first[p] += bases[c, 0, p] * value
            second[p] += bases[c, 1, p] * value
    best, most = 0, -1.0
    for p in range(bases.shape[2]):
        explained = first[p] * first[p] + second[p] * second[p]
        if explained > most:
            best, most = p, explained
    return best


@kernel
def fit_place(y: F64, place: F64, positions: F64, axes: F64, weight: F64, box: F64, q: F64, square: F64) -> float:
    """Move `place` (3,) to the best one within `box` (2, 3); write moment, and Fisher matrix; return |residual|²."""
    n = positions.shape[0]
    gain, here, high = np.empty((n, 2)), np.empty((n, 2)), np.empty((n, 2))
    basis, rest, step, trial = np.empty((n, 2)), np.empty(n), np.empty(3), np.empty(3)
    other_basis, other_rest, other_q = np.empty((n, 2)), np.empty(n), np.empty(2)
    half_space_gain(place, positions, axes, weight, here)
    cost = _project(here, y, q, basis, rest)
    damp = 1e-3
    for _ in range(STEPS):
        _normal(place, q, basis, rest, positions, axes, weight, here, high, square)
        moved = 0.0
        for _ in range(8):
            _solve(square, damp, step)
            for k in range(3):
                trial[k] = min(max(place[k] + step[k], box[0, k]), box[1, k])
            half_space_gain(trial, positions, axes, weight, gain)
            trial_cost = _project(gain, y, other_q, other_basis, other_rest)
            if trial_cost < cost:
                moved = max(abs(trial[0] - place[0]), abs(trial[1] - place[1]), abs(trial[2] - place[2]))
                place[:], q[:], basis[:], rest[:], cost = trial, other_q, other_basis, other_rest, trial_cost
                here[:] = gain
                damp = max(damp * 0.1, 1e-9)
                break
            damp *= 10.0
        if moved < SMALL:
            break
    _normal(place, q, basis, rest, positions, axes, weight, here, high, square)
    return cost


@kernel
def place_covariance(square: F64, out: F64) -> float:
    """Write the inverse of the place's Fisher matrix (`square`, columns 0 to 2) to `out`; return its determinant.

    By cofactors; infinite on the diagonal, with an infinite determinant, where there is no inverse.
    """
    a, b, c = square[0, 0], square[0, 1], square[0, 2]
    d, e, f = square[1, 1], square[1, 2], square[2, 2]
    determinant = a * (d * f - e * e) - b * (b * f - e * c) + c * (b * e - d * c)
    out[:] = 0.0
    # of a product of the diagonal, what rounding leaves of nothing
    if not determinant > 1e-14 * a * d * f:
        out[0, 0], out[1, 1], out[2, 2] = np.inf, np.inf, np.inf
        return float(np.inf)
    out[0, 0], out[1, 1], out[2, 2] = d * f - e * e, a * f - c * c, a * d - b * b
    out[0, 1], out[0, 2], out[1, 2] = c * e - b * f, b * e - c * d, b * c - a * e
    out[1, 0], out[2, 0], out[2, 1] = out[0, 1], out[0, 2], out[1, 2]
    for k in range(3):
        for j in range(3):
            out[k, j] /= determinant
    return float(1.0 / determinant)
