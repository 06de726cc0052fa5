"""What the site adds to the pages: the reference of every module, and links that lead out of docs/ to the repository.

MkDocs calls `on_files` and `on_page_markdown` by their names (mkdocs.yml, `hooks`).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = (
    ("api", "From Python"),
    ("", "The nouns"),
    ("physics", "Laws: conductors, heart, sensors, room"),
    ("acquire", "Where blocks come from and how they travel"),
    ("filters", "Blocks to cleaner blocks"),
    ("mapping", "Blocks to beats, averages, maps, currents, dipoles, parameters"),
    ("characterise", "What an array is worth"),
    ("scan", "One stream from raw blocks to its outcome"),
    ("output", "What a run leaves in a folder"),
    ("export", "For others' tools"),
    ("study", "Many recordings"),
)


def on_files(files: Any, config: Any) -> Any:
    """Add `reference.md` and a page of reference for each package."""
    from mkdocs.structure.files import File

    lines = ["# Reference", "", "Every public name, from its docstring; SI units throughout.", ""]
    for package, title in PACKAGES:
        page = f"reference-{package or 'nouns'}.md"
        modules = _modules(package)
        lines.append(f"- [{title}]({page}): {', '.join(f'`{module}`' for module in modules)}")
        content = f"# {title}\n\n" + "\n\n".join(f"::: zeromag.{module}" for module in modules) + "\n"
        files.append(File.generated(config, page, content=content, inclusion=_listed()))
    files.append(File.generated(config, "reference.md", content="\n".join(lines) + "\n"))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, **_: Any) -> str:
    """Let links to files outside docs/ lead to the repository, as they do there."""
    where = Path(config.docs_dir) / page.file.src_uri

    def outside(match: re.Match[str]) -> str:
        target = (where.parent / match[1]).resolve()
        if target.is_relative_to(config.docs_dir) and target.suffix != ".py" and not target.is_dir():
            return match[0]
        return f"]({config.repo_url}/blob/main/{target.relative_to(ROOT).as_posix()}"

    return re.sub(r"\]\((?!https?:|#)([^)#\s]+)", outside, markdown)


def _modules(package: str) -> list[str]:
    """Return the public modules of a package, with its name before them."""
    if package == "api":
        return ["api"]
    folder = ROOT / "zeromag" / package
    stems = sorted(path.stem for path in folder.glob("[!_]*.py") if path.stem not in {"api", "cli"})
    return [f"{package}.{stem}" if package else stem for stem in stems]


def _listed() -> Any:
    """Return the kind of page that is linked but not in the menu."""
    from mkdocs.structure.files import InclusionLevel

    return InclusionLevel.NOT_IN_NAV
