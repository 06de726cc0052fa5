"""What the half-space costs against the surfaces of a real man: the table of docs/simulation.md.

`python benchmarks/conductors.py TORSO`, a folder with thorax.gii, lungs.gii and blood.gii. The heart is at the middle
of the blood, 36 Bz sensors lie 5 mm above the skin where that is nearest. Solving takes some seconds, once.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from zeromag.physics.arrays import grid
from zeromag.physics.conductor import Conductor, lead_field
from zeromag.physics.halfspace import HalfSpace
from zeromag.physics.torso import read_torso, solve

MOMENT, SKIN = 10e-6, 5e-3  # A·m, m


def main(folder: Path) -> None:
    """Print the table."""
    anywhere = read_torso(folder, heart=(0.0, 0.0, 0.0))
    array = grid()
    # only the skin under the array counts: how far its front lies above the heart
    skin = anywhere.regions[0].surface.points
    under = np.abs(skin[:, :2]).max(axis=1) < 0.1
    depth = float(skin[under, 2].max()) + SKIN
    heart = (0.0, 0.0, -depth)
    torso = read_torso(folder, heart=heart)
    body, lungs, _ = torso.regions
    bodies = {"body alone": solve((body,)), "body, lungs": solve((body, lungs)), "body, lungs, blood": torso}
    print(f"heart {1e3 * depth:.0f} mm below the sensors\n")
    print(
        "| torso of | dipole | largest Bz, torso | half-space/torso | correlation | rms difference |\n"
        "|---|---|---|---|---|---|"
    )

    def seen(conductor: Conductor) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        return MOMENT * lead_field(conductor, np.array([heart]), array.positions, array.axes)[:, 0]

    half = seen(HalfSpace())
    for name, conductor in bodies.items():
        real = seen(conductor)
        for k, way in enumerate("xyz"):
            largest = np.abs(real[:, k]).max()
            row = f"| {name} | {way} | {1e12 * largest:.1f} pT | {np.abs(half[:, k]).max() / largest:.2f} |"
            if way == "z":
                print(row, "– | – |")
                continue
            off = np.linalg.norm(half[:, k] - real[:, k]) / np.linalg.norm(real[:, k])
            print(row, f"{np.corrcoef(half[:, k], real[:, k])[0, 1]:.2f} | {100 * off:.0f} % |")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
