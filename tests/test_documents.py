"""What the documents and the lock files say is so."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())


def requirements() -> list[str]:
    """Everything that pyproject.toml asks for: to run, to build and as an extra."""
    project = PROJECT["project"]
    extras = project["optional-dependencies"].values()
    groups = [project["dependencies"], PROJECT["build-system"]["requires"], *extras]
    return sorted(re.split(r"[\[<>=;]", item)[0] for group in groups for item in group)


@pytest.mark.parametrize("name", requirements())
def test_a_dependency_has_its_reason_and_licence_in_the_documentation(name: str) -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in (ROOT / "docs/dependencies.md").read_text().splitlines()
        if line.startswith("|")
    ]

    row = next((row for row in rows if row[0] == name), None)

    assert row is not None, f"docs/dependencies.md has no line for {name}"
    assert all(row)


def test_the_tree_of_the_architecture_is_the_import_contract() -> None:
    contracts = PROJECT["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["id"] == "tree")
    enforced = [re.sub(r"[()]", "", layer) for layer in layers]

    tree = (ROOT / "ARCHITECTURE.md").read_text().split("src/customer360/\n")[1].split("```")[0]
    drawn = re.findall(r"^[A-Z ]{8}(\S+(?: \| \S+)*)", tree, re.MULTILINE)

    assert drawn == enforced


@pytest.mark.parametrize("path", sorted(ROOT.glob("*.lock")), ids=lambda path: path.name)
def test_a_lock_file_names_hashes_and_no_address(path: Path) -> None:
    lock = path.read_text()

    pinned = re.findall(
        r"^[a-z0-9.-]+(?:\[.*\])?==\S+(?: ; .*?)? \\\n    --hash=", lock, re.MULTILINE
    )

    assert "://" not in lock
    assert len(pinned) == len(re.findall(r"^[^\s#]", lock, re.MULTILINE)) > 0


def test_what_runs_and_what_develops_pin_the_same_versions() -> None:
    pins = [
        set(re.findall(r"^\S+==\S+(?: ; .*(?= \\))?", (ROOT / name).read_text(), re.MULTILINE))
        for name in ("requirements.lock", "requirements-dev.lock", "requirements-clickhouse.lock")
    ]

    assert pins[0] <= pins[1] & pins[2]


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [
        ("requirements.lock", PROJECT["project"]["dependencies"]),
        ("requirements-dev.lock", PROJECT["project"]["optional-dependencies"]["dev"]),
        (
            "requirements-clickhouse.lock",
            PROJECT["project"]["optional-dependencies"]["clickhouse"],
        ),
        ("requirements-build.lock", PROJECT["build-system"]["requires"]),
    ],
)
def test_a_lock_file_has_everything_that_is_asked_for(lock: str, wanted: list[str]) -> None:
    locked = set(re.findall(r"^([a-z0-9.-]+)", (ROOT / lock).read_text(), re.MULTILINE))

    assert {re.split(r"[\[<>=;]", item)[0] for item in wanted} <= locked
