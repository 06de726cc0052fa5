"""What the docs say of the code is still so."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_the_list_of_files_is_the_tree() -> None:
    spec = importlib.util.spec_from_file_location("architecture", ROOT / "docs" / "architecture.py")
    assert spec is not None
    assert spec.loader is not None
    architecture = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(architecture)
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert page == architecture.page(), "run: python docs/architecture.py"
    assert ".py` |  |" not in page, "a module without a docstring"


def test_links_between_pages_lead_somewhere() -> None:
    pages = [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")]
    broken = []
    for page in pages:
        targets = re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
        local = [target for target in targets if not target.startswith("http")]
        broken += [f"{page.name}: {target}" for target in local if not (page.parent / target).exists()]
    assert broken == []
