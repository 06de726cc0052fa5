"""The software bill of materials: whole, of the standard's form, the same bytes each time."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent


def made(path: Path, *extras: str) -> dict[str, Any]:
    subprocess.run([sys.executable, str(ROOT / ".ci" / "sbom.py"), str(path), *extras], check=True, timeout=120)
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return told


def test_the_bill_names_all_that_is_needed_and_nothing_of_the_tests(tmp_path: Path) -> None:
    bill = made(tmp_path / "a.json", "edf")
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", bill["serialNumber"])
    parts = {part["name"].lower(): part for part in bill["components"]}
    for name in ("numpy", "numba", "llvmlite", "mne", "pandas", "edfio"):  # llvmlite, pandas: brought by others
        assert parts[name]["version"] == version(name)
        assert parts[name]["purl"] == f"pkg:pypi/{name}@{version(name)}"
    assert "pytest" not in parts
    refs = {part["bom-ref"] for part in bill["components"]} | {bill["metadata"]["component"]["bom-ref"]}
    assert {edge["ref"] for edge in bill["dependencies"]} == refs
    assert all(set(edge["dependsOn"]) <= refs for edge in bill["dependencies"])
    made(tmp_path / "b.json", "edf")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


@pytest.mark.nightly
def test_the_bill_is_valid_by_the_standards_own_schema(tmp_path: Path) -> None:
    pytest.importorskip("jsonschema")
    validation = pytest.importorskip("cyclonedx.validation.json")
    schema = pytest.importorskip("cyclonedx.schema")
    made(tmp_path / "a.json")
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    error = validation.JsonStrictValidator(schema.SchemaVersion.V1_6).validate_str(text)
    assert error is None, error
