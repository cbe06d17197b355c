"""The import rules are enforced: each kind of violation, planted in a copy, is seen."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")

TREE = "Imports go down the tree only"
PURE = "Models and pure files know no database"
WEB = "Only api and web know the web framework"
SETTINGS = "Only app and the doors read the settings"
GATE = "Nobody sends around the gate"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the package to break, with the import rules beside it."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    ignore = shutil.ignore_patterns("__pycache__", "static", "templates")
    return shutil.copytree(ROOT / "src/customer360", tmp_path / "customer360", ignore=ignore)


def plant(package: Path, module: str, code: str) -> None:
    """Append code to a module; it and the packages it is in are made where missing."""
    path = package / module
    path.parent.mkdir(parents=True, exist_ok=True)
    for parent in path.relative_to(package).parents:
        (package / parent / "__init__.py").touch()
    with path.open("a") as file:
        file.write(f"\n{code}\n")


def broken_contracts(package: Path) -> str:
    """The part of lint-imports' report that lists what is broken; empty where nothing is."""
    result = subprocess.run(
        [LINT_IMPORTS, "--no-cache"],
        cwd=package.parent,
        env=os.environ | {"PYTHONPATH": str(package.parent), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode in (0, 1), result.stdout + result.stderr
    _, _, broken = result.stdout.partition("Broken contracts")
    assert bool(broken) == bool(result.returncode), result.stdout + result.stderr
    return broken


@pytest.mark.parametrize(
    ("contract", "module", "code"),
    [
        (TREE, "errors.py", "import customer360.events"),
        (TREE, "events/planted.py", "import customer360.identities"),
        (TREE, "consent/planted.py", "import customer360.warehouse.planted"),
        (PURE, "events/model.py", "import sqlalchemy"),
        (PURE, "identities/resolve.py", "import customer360.storage.database"),
        (PURE, "connectors/sources/planted/translate.py", "import httpx"),
        (WEB, "intake/planted.py", "from fastapi import Request"),
        (WEB, "app.py", "import starlette.responses"),
        (SETTINGS, "intake/planted.py", "from customer360.settings import Settings"),
        (GATE, "journeys/planted.py", "from customer360.messages import channel"),
    ],
)
def test_a_planted_violation_breaks_its_contract(
    package: Path, contract: str, module: str, code: str
) -> None:
    plant(package, "warehouse/planted.py", "")
    plant(package, "messages/channel.py", "")

    plant(package, module, code)

    broken = broken_contracts(package)
    assert contract in broken
    assert f"customer360.{module.removesuffix('.py').replace('/', '.')}" in broken


def test_a_package_outside_the_tree_breaks_the_contract(package: Path) -> None:
    plant(package, "planted/anything.py", "")

    assert TREE in broken_contracts(package)


@pytest.mark.parametrize(
    ("module", "code"),
    [
        ("web/planted.py", "import starlette.responses"),
        ("api/planted.py", "import fastapi\nimport customer360.settings"),
        ("app.py", "import customer360.settings\nimport customer360.messages.channel"),
        ("gate/release.py", "import customer360.messages.channel"),
        ("connectors/channels/planted.py", "import customer360.messages.channel"),
    ],
)
def test_an_import_that_the_rules_allow_breaks_nothing(
    package: Path, module: str, code: str
) -> None:
    plant(package, "messages/channel.py", "")
    plant(package, module, code)

    assert not broken_contracts(package)
