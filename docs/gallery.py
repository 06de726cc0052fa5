"""Make the gallery: `python docs/gallery.py` runs each example and keeps its picture; `--text` only writes the page."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parent / "examples"
PICTURES = HERE / "images" / "gallery"


def page() -> str:
    """Return the page: of each example its sentence, its code and its picture."""
    lines = [
        "# Gallery",
        "",
        "Ten short examples; each runs as it stands and makes its picture (`tests/test_interop_examples.py`). They",
        "need no sensors. Made by `python docs/gallery.py`.",
    ]
    for path in sorted(EXAMPLES.glob("*.py")):
        source = path.read_text(encoding="utf-8")
        sentence = ast.get_docstring(ast.parse(source)) or ""
        code = source.split('"""', 2)[2].strip()
        title = path.stem.replace("_", " ").capitalize()
        lines += ["", f"## {title}", "", sentence, "", f"![{title}](images/gallery/{path.stem}.png)", ""]
        lines += ["```python", code, "```"]
    return "\n".join(lines) + "\n"


def draw(path: Path) -> None:
    """Run one example and keep its picture."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "MPLBACKEND": "agg", "PYTHONPATH": str(HERE.parent)}
        subprocess.run([sys.executable, str(path)], cwd=folder, env=environment, check=True)
        PICTURES.mkdir(parents=True, exist_ok=True)
        shrink(Path(folder) / f"{path.stem}.png", PICTURES / f"{path.stem}.png")


def shrink(source: Path, target: Path) -> None:
    """Keep a picture as a page needs it: 900 pixels wide, 128 colours."""
    from PIL import Image

    picture = Image.open(source).convert("RGB")
    picture.thumbnail((900, 900))
    picture.quantize(128).save(target, optimize=True)


if __name__ == "__main__":
    if "--text" not in sys.argv:
        for example in sorted(EXAMPLES.glob("*.py")):
            draw(example)
    (HERE / "gallery.md").write_text(page(), encoding="utf-8")
