"""Turn the kept results into `docs/benchmarks.md`: `python -m benchmarks.report`.

Every script keeps its last run in `benchmarks/results/`, which is not committed; the page is, with the date, commit and
machine of each table. Between the marks nothing is written by hand. `README.md` gets one line for each peer: the first
that holds a bar.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.measure import RESULTS

ROOT = Path(__file__).parent.parent
OWN = {"plain", "quiet"}  # beside themselves: no peers
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
        f"### `python -m benchmarks.{result['script']}`\n\n{_table(result['lines'])}\n\n"
        f"{result['date']}, commit {state}; {result['cpu']}, {result['cores']} cores, {limits}load {result['load']}, "
        f"{result['system']}, Python {result['python']}, {versions}.\n"
    )


def headlines(results: list[dict[str, Any]]) -> str:
    """Return a short table: each peer once, with the first ratio to it that holds a bar."""
    first: dict[str, dict[str, Any]] = {}
    for result in results:
        for line in result["lines"]:
            if (
                line["bar"]
                and line["ratio"] is not None
                and line["unit"] != "% of a core"
                and line["beside"] not in OWN
            ):
                first.setdefault(line["beside"], line)
    rows = [f"| {line['what']} | {peer} | {_number(line['ratio'])} × |" for peer, line in first.items()]
    return "\n".join(["| what | beside | ratio |", "| --- | --- | --- |", *rows])


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
    rewrite(ROOT / "docs" / "benchmarks.md", "\n".join(map(section, results)))
    rewrite(ROOT / "README.md", f"{headlines(results)}\n")
    print(f"wrote {len(results)} tables: " + ", ".join(result["script"] for result in results))


if __name__ == "__main__":
    main()
