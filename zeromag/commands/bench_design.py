"""`zeromag bench design`: what arrays could do that are not built yet, side by side."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from zeromag.errors import InputError, StorageError
from zeromag.progress import Progress

if TYPE_CHECKING:
    from zeromag.characterise.designs import Design


def run(flags: argparse.Namespace) -> int:
    """Print the table of designs, and write it."""
    from zeromag.characterise.designs import STANDARD, assess, design

    names = flags.designs or list(STANDARD)
    rows: list[Design] = []
    with Progress("reckoning") as progress:
        for k, name in enumerate(names):
            progress(k, len(names))
            try:
                rows.append(assess(name, design(name)))
            except ValueError as error:
                raise InputError(f"{name}: {error}") from error
    table = [HEAD, *(_cells(row) for row in rows)]
    if flags.out is not None:
        try:
            flags.out.write_text("\n".join("\t".join(line) for line in table) + "\n", encoding="utf-8")
        except OSError as error:
            raise StorageError(f"the table cannot be written to {flags.out}: {error.strerror}") from error
    widths = [max(len(line[k]) for line in table) for k in range(len(HEAD))]
    for first, *others in table:
        print("  ".join([first.ljust(widths[0]), *(c.rjust(w) for c, w in zip(others, widths[1:], strict=True))]))
    return 0


HEAD = ("design", "channels", "bit/sample", "patterns", "bit 20 mm off", "mm at 8 cm", "mm at 10 cm", "mm at 12 cm",
        "mm by 1 % gain", "mm by 1 mm", "mm by 1°")  # fmt: skip


def _cells(row: Design) -> tuple[str, ...]:
    lengths = [*row.bound, row.gain, row.shift, row.tilt]
    return (
        row.name, str(row.channels), f"{row.bits:.1f}", str(row.freedom), f"{row.bits_farther:.1f}",
        *(f"{1e3 * length:.2f}" for length in lengths),
    )  # fmt: skip
