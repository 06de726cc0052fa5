"""Write the list of files into docs/architecture.md, from each module's first line: `python docs/architecture.py`."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "architecture.md"
MARK = "<!-- below: made by docs/architecture.py -->\n"


def listing() -> str:
    """Return one line a file, a heading a folder."""
    lines: list[str] = []
    folder = None
    for path in sorted((ROOT / "zeromag").rglob("*.py"), key=lambda path: (str(path.parent), path.name)):
        place = path.relative_to(ROOT)
        sentence = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n")[0]
        if place.parent != folder:
            folder = place.parent
            lines += ["", f"## {folder.as_posix()}/", "", "| file | what it is for |", "|---|---|"]
        lines.append(f"| `{place.name}` | {sentence} |")
    return "\n".join(lines) + "\n"


def page() -> str:
    """Return the whole page, its upper part as it stands."""
    return PAGE.read_text(encoding="utf-8").split(MARK)[0] + MARK + listing()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
