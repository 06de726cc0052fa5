"""The documentation's site: built without a warning, every link leads somewhere; examples in docstrings run."""

from __future__ import annotations

import doctest
import importlib
import importlib.util
import os
import pkgutil
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote, urldefrag

import pytest

import zeromag

ROOT = Path(__file__).resolve().parent.parent
# those need a display, a device or a library of their own
ELSEWHERE = ("zeromag.viz", "zeromag.__main__")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as `mkdocs build --strict` makes it, where a warning is an error."""
    pytest.importorskip("mkdocstrings")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stderr.strip(), done.stderr
    return folder


class Page(HTMLParser):
    """The links, the names and what is loaded of one page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.names: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {key: value for key, value in attrs if value}
        self.names |= {values[key] for key in ("id", "name") if key in values}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        elif tag in {"img", "script", "link", "iframe"}:
            self.loads += [values[key] for key in ("src", "href") if key in values]


@pytest.mark.nightly
def test_every_link_leads_to_a_page_and_a_name_in_it(site: Path) -> None:
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
    assert len(pages) > 25
    broken, outside = [], []
    for path, page in pages.items():
        if path.name == "404.html":
            continue
        for link in page.links + page.loads:
            if re.match(r"(https?:|mailto:|data:|javascript:)", link):
                outside += [link] if link in page.loads else []
                continue
            target, name = urldefrag(unquote(link))
            where = (path.parent / target).resolve() if target else path
            if not where.exists() or (name and where in pages and name not in pages[where].names | {""}):
                broken.append(f"{path.relative_to(site)}: {link}")
    assert broken == []
    assert {load for load in outside if not load.startswith("https://github.com/zeromag/")} == set()


@pytest.mark.nightly
def test_the_reference_has_every_public_thing(site: Path) -> None:
    names = set()
    for path in site.glob("reference-*.html"):
        names |= Page(path.read_text(encoding="utf-8")).names
    for wanted in (
        "zeromag.api.map_recording", "zeromag.block.Block", "zeromag.physics.halfspace.HalfSpace.field",
        "zeromag.filters.joint_fit.JointFit", "zeromag.acquire.simulate.simulation", "zeromag.study.run.study",
    ):  # fmt: skip
        assert wanted in names, wanted


def loaded(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_gallery_is_of_the_ten_examples_as_they_are() -> None:
    examples = sorted((ROOT / "examples").glob("*.py"))
    assert len(examples) == 10
    assert (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8") == loaded("gallery").page()
    for path in examples:
        assert (ROOT / "docs" / "images" / "gallery" / f"{path.stem}.png").stat().st_size < 100_000
        code = [line for line in path.read_text(encoding="utf-8").splitlines() if line and line[0] not in '#"']
        assert len(code) <= 32, f"{path.name} is not short"


def test_examples_in_docstrings_run() -> None:
    tried = 0
    for found in pkgutil.walk_packages(zeromag.__path__, "zeromag."):
        if found.name.startswith(ELSEWHERE):
            continue
        result = doctest.testmod(importlib.import_module(found.name))
        assert result.failed == 0, found.name
        tried += result.attempted
    assert tried >= 14
