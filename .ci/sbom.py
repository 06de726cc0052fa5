"""Write the software bill of materials (CycloneDX 1.6, JSON): zeromag and all that its dependencies bring.

`python .ci/sbom.py zeromag.cdx.json [EXTRA…]`, in the environment that is shipped. The standard library is enough, and
the same environment gives the same bytes: nothing in it is a date or drawn at random.
"""

from __future__ import annotations

import json
import re
import sys
import uuid
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

NEEDS = re.compile(r"^\s*([A-Za-z0-9._-]+)\s*(?:\[([^\]]*)\])?")
EXTRA = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")


def canonical(name: str) -> str:
    """Return a name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def purl(dist: Distribution) -> str:
    """Return the package's address, which is also its key in the bill."""
    return f"pkg:pypi/{canonical(dist.metadata['Name'])}@{dist.version}"


@cache
def installed(name: str) -> Distribution | None:
    """Return a package of this environment."""
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def needed(dist: Distribution, extras: set[str]) -> list[tuple[Distribution, set[str]]]:
    """Return what is installed of what a package needs, each with its extras; what this platform lacks is left out."""
    found = {}
    for line in dist.requires or []:
        asked = EXTRA.search(line)
        name = NEEDS.match(line)
        if name is None or (asked and asked[1] not in extras):
            continue
        there = installed(name[1])
        if there is not None:
            also = {word.strip() for word in (name[2] or "").split(",") if word.strip()}
            found[purl(there)] = there, also | found.get(purl(there), (there, set()))[1]
    return [found[key] for key in sorted(found)]


def component(dist: Distribution) -> dict[str, Any]:
    """Return one package: name, version, licence as it says itself."""
    about: dict[str, Any] = {
        "type": "library",
        "bom-ref": purl(dist),
        "name": dist.metadata["Name"],
        "version": dist.version,
        "purl": purl(dist),
    }
    expression, text = dist.metadata.get("License-Expression"), dist.metadata.get("License")
    if expression:
        about["licenses"] = [{"expression": expression}]
    elif text and len(text) < 80 and "\n" not in text:
        about["licenses"] = [{"license": {"name": text}}]
    return about


def bill(extras: set[str]) -> dict[str, Any]:
    """Return the bill of zeromag with these extras."""
    root = distribution("zeromag")
    known, todo = {purl(root): root}, [(root, extras)]
    edges: dict[str, list[str]] = {}
    tried: dict[str, set[str]] = {}
    while todo:
        dist, wanted = todo.pop()
        uses = needed(dist, wanted)
        edges[purl(dist)] = sorted({purl(each) for each, _ in uses} | set(edges.get(purl(dist), ())))
        for each, also in uses:
            new = purl(each) not in known
            if new or not also <= tried.get(purl(each), set()):
                known[purl(each)] = each
                tried[purl(each)] = tried.get(purl(each), set()) | also
                todo.append((each, also))
    parts = [component(known[key]) for key in sorted(known) if key != purl(root)]
    content = json.dumps([parts, sorted(extras), root.version], sort_keys=True)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, content)}",
        "version": 1,
        "metadata": {"component": {**component(root), "type": "application"}},
        "components": parts,
        "dependencies": [{"ref": key, "dependsOn": edges[key]} for key in sorted(edges)],
    }


if __name__ == "__main__":
    out, *chosen = sys.argv[1:] or ["zeromag.cdx.json"]
    Path(out).write_text(json.dumps(bill(set(chosen)), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
