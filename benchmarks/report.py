"""Turn the kept results into `docs/benchmarks.md`: `python -m benchmarks.report`.

Every script keeps its last run in `benchmarks/results/`, which is not committed; the page is, with the date, commit and
machine of each table. The table of a script that was not run here stays as it is. Between the marks nothing is written
by hand. `README.md` gets one line for each peer of the page: the first that holds a bar.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.measure import RESULTS

ROOT = Path(__file__).parent.parent
OWN = {"plain", "quiet"}  # beside themselves: no peers
HEAD = "### `python -m benchmarks."
BEGIN, END = "<!-- results: made by `python -m benchmarks.report` -->", "<!-- end of results -->"


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _row(line: dict[str, Any]) -> str:
    ours = f"{_number(line['ours'])} {line['unit']}"
    theirs = f"{_number(line['theirs'])} {line['unit']}, {line['beside']}" if line["theirs"] is not None else ""
    ratio = f"{_number(line['ratio'])} ×" if line["ratio"] is not None else ""
    if ratio and line["low"] is not None:
        ratio += f" [{_number(line['low'])}–{_number(line['high'])}]"
    return f"| {line['what']} | {ours} | {theirs} | {ratio} | {line['bar']} | {line['note']} |"


def _table(lines: list[dict[str, Any]]) -> str:
    head = "| what | ours | beside | ratio [quartiles] | bar | |\n| --- | --- | --- | --- | --- | --- |"
    return "\n".join([head, *map(_row, lines)])


def section(result: dict[str, Any]) -> str:
    """Return one script's table, and what it was taken on."""
    versions = ", ".join(f"{name} {number}" for name, number in result["versions"].items())
    known = result.get("limits")
    limits = (
        f"{known['multiply_adds_G_s']:g} G multiply-adds/s and {known['memory_GB_s']:g} GB/s of memory a core, "
        if known
        else ""
    )
    state = f"{result['commit']}{' with changes' if result['dirty'] else ''}"
    return (
        f"{HEAD}{result['script']}`\n\n{_table(result['lines'])}\n\n"
        f"{result['date']}, commit {state}; {result['cpu']}, {result['cores']} cores, {limits}load {result['load']}, "
        f"{result['system']}, Python {result['python']}, {versions}.\n"
    )


def sections(page: str) -> dict[str, str]:
    """Return the tables that stand between a page's marks, by script."""
    inside = page.split(BEGIN, 1)[-1].split(END, 1)[0]
    parts = [f"{HEAD}{part}".strip() + "\n" for part in inside.split(HEAD)[1:]]
    return {part.removeprefix(HEAD).split("`", 1)[0]: part for part in parts}


def headlines(tables: list[str]) -> str:
    """Return a short table: each peer once, with the first ratio to it that holds a bar."""
    first: dict[str, str] = {}
    for row in (line for table in tables for line in table.splitlines() if line.startswith("| ")):
        what, ours, beside, ratio, bar, _ = row.removeprefix("| ").split(" | ", 5)
        peer = beside.partition(", ")[2]
        if peer and ratio.strip() and bar.strip() and not ours.endswith("% of a core") and peer not in OWN:
            first.setdefault(peer, f"| {what} | {peer} | {ratio.partition(' [')[0]} |")
    return "\n".join(["| what | beside | ratio |", "| --- | --- | --- |", *first.values()])


def rewrite(path: Path, text: str) -> bool:
    """Put the text between the marks of a page; return whether it has them."""
    page = path.read_text(encoding="utf-8")
    if BEGIN not in page or END not in page:
        return False
    before, rest = page.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    path.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}", encoding="utf-8")
    return True


def main() -> None:
    """Rewrite the pages."""
    results = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(RESULTS.glob("*.json"))]
    if not results:
        raise SystemExit("no result is kept yet; run a script first, e.g. python -m benchmarks.kernels")
    page = ROOT / "docs" / "benchmarks.md"
    known = sections(page.read_text(encoding="utf-8")) | {result["script"]: section(result) for result in results}
    tables = [known[script] for script in sorted(known)]
    rewrite(page, "\n".join(tables))
    rewrite(ROOT / "README.md", f"{headlines(tables)}\n")
    print(f"wrote {len(results)} tables: " + ", ".join(result["script"] for result in results))


if __name__ == "__main__":
    main()
