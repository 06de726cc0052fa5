"""Where the panels stand in each layout: a grid of rows and columns with weights."""

from __future__ import annotations

from dataclasses import dataclass

Place = tuple[str, int, int, int, int]  # panel, row, column, rows, columns


@dataclass(frozen=True, slots=True)
class Layout:
    """One arrangement for one kind of reader."""

    name: str
    places: tuple[Place, ...]
    rows: tuple[int, ...]  # weights
    columns: tuple[int, ...]
    traces: int  # rows of traces at most


LAYOUTS = {
    layout.name: layout
    for layout in (
        Layout(
            "clinic",
            (
                ("map", 0, 0, 1, 2),
                ("traces", 0, 2, 1, 2),
                ("status", 1, 0, 1, 1),
                ("numbers", 1, 1, 1, 2),
                ("beat", 1, 3, 1, 1),
            ),
            rows=(9, 5),
            columns=(60, 30, 26, 84),
            traces=8,
        ),
        Layout(
            "research",
            (
                ("traces", 0, 0, 1, 1),
                ("map", 0, 1, 1, 1),
                ("film", 0, 2, 1, 1),
                ("beat", 1, 0, 1, 1),
                ("spectrum", 1, 1, 1, 1),
                ("trend", 1, 2, 1, 1),
            ),
            rows=(9, 6),
            columns=(5, 4, 4),
            traces=40,
        ),
        Layout(
            "array",
            (
                ("array", 0, 0, 2, 1),
                ("noise", 0, 1, 1, 1),
                ("spectrum", 0, 2, 1, 1),
                ("status", 1, 1, 1, 1),
                ("meter", 1, 2, 1, 1),
            ),
            rows=(10, 9),
            columns=(29, 18, 21),
            traces=8,
        ),
    )
}
