"""Solid harmonics and their gradients: the fields of sources inside and outside a sphere."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def regular(points: NDArray[np.float64], order: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the regular real solid harmonics of degree 1 to `order` and their gradients.

    Of degree l there are 2l + 1, R = Π(z, r²) · Re or Im (x + iy)^m with
    Π_m = (2m-1)!!,  (l-m) Π_l = (2l-1) z Π_{l-1} - (l+m-1) r² Π_{l-2}.

    Returns
    -------
    values (n_points, order·(order+2)), gradients (n_points, order·(order+2), 3)
    """
    n = len(points)
    x, y, z = np.asarray(points, dtype=np.float64).T
    square = x * x + y * y + z * z
    columns: dict[tuple[int, int], tuple[NDArray[np.float64], NDArray[np.float64]]] = {}
    power, power_gradient = np.ones(n, dtype=np.complex128), np.zeros((n, 3), dtype=np.complex128)
    odd = 1.0  # (2m - 1)!!
    for m in range(order + 1):
        if m:
            power_gradient = m * power[:, None] * np.array([1, 1j, 0])  # power still holds (x + iy)^(m-1)
            power = power * (x + 1j * y)
            odd *= 2 * m - 1
        before, before_gradient = np.zeros(n), np.zeros((n, 3))
        now, now_gradient = np.full(n, odd), np.zeros((n, 3))
        for degree in range(m, order + 1):
            if degree > m:
                a, b = (2 * degree - 1) / (degree - m), (degree + m - 1) / (degree - m)
                following = a * z * now - b * square * before
                gradient = a * z[:, None] * now_gradient - b * square[:, None] * before_gradient
                gradient[:, 2] += a * now
                gradient -= 2 * b * before[:, None] * np.stack([x, y, z], axis=1)
                before, before_gradient, now, now_gradient = now, now_gradient, following, gradient
            if degree == 0:
                continue
            whole = now * power
            slope = now_gradient * power[:, None] + now[:, None] * power_gradient
            columns[degree, m] = (whole.real, slope.real)
            if m:
                columns[degree, -m] = (whole.imag, slope.imag)
    ordered = [columns[degree, m] for degree in range(1, order + 1) for m in range(-degree, degree + 1)]
    return np.stack([value for value, _ in ordered], axis=1), np.stack([slope for _, slope in ordered], axis=1)


def inside_basis(
    positions: NDArray[np.float64], axes: NDArray[np.float64], origin: NDArray[np.float64], order: int
) -> NDArray[np.float64]:
    """Return what sensors read of multipoles at `origin`, columns of unit size: (n_channels, order·(order+2)).

    The gradient of R / r^(2l+1), with R regular of degree l (Taulu & Kajola 2005). No sensor may sit at the origin.
    """
    about = np.asarray(positions) - origin
    distance = np.linalg.norm(about, axis=1)
    scale = float(distance.mean())
    about, distance = about / scale, distance / scale
    value, slope = regular(about, order)
    degree = np.repeat(np.arange(1, order + 1), 2 * np.arange(1, order + 1) + 1)
    reach = distance[:, None] ** (2 * degree + 1)
    field = (
        slope / reach[..., None]
        - ((2 * degree + 1) * value / reach / distance[:, None] ** 2)[..., None] * (about[:, None, :])
    )
    seen: NDArray[np.float64] = np.einsum("ckf,cf->ck", field, np.asarray(axes))
    unit: NDArray[np.float64] = seen / np.linalg.norm(seen, axis=0)
    return unit


def outside_basis(
    positions: NDArray[np.float64], axes: NDArray[np.float64], origin: NDArray[np.float64], order: int
) -> NDArray[np.float64]:
    """Return what sensors read of sources far away, to any order: (n_channels, order·(order+2)).

    Unlike `external_basis` about a given origin; columns that the array cannot see stay as small as they are.
    """
    about = np.asarray(positions) - origin
    scale = float(np.linalg.norm(about, axis=1).max())
    _, slope = regular(about / scale, order)
    seen: NDArray[np.float64] = np.einsum("ckf,cf->ck", slope, np.asarray(axes))
    return seen
