"""`dipole.csv`: the moving current dipole along the averaged beat."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from zeromag.mapping.dipole import Dipole

COLUMNS = "time_s,x_m,y_m,z_m,qx_Am,qy_Am,qz_Am,goodness_of_fit,volume95_m3,bound_m,chi2"


def write_dipoles(path: Path, dipoles: Sequence[Dipole]) -> None:
    """Write one row an instant, in the array's frame: x to the patient's left, y to the head, z out of the chest."""
    rows = [COLUMNS]
    for dipole in dipoles:
        quality = (dipole.goodness, dipole.volume, dipole.bound, dipole.chi2)
        numbers = (dipole.time, *dipole.position, *dipole.moment, *quality)
        rows.append(",".join(f"{number:.9g}" for number in numbers))
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
