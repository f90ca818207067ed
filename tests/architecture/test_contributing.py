"""CONTRIBUTING.md names the check behind every rule, and every check that it names exists."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
CONTRACTS = {contract["id"] for contract in PROJECT["importlinter"]["contracts"]}
RULES = dict(
    re.findall(
        r"^\| (.+?) \| (.+) \|$",
        PAGE.split("## Rules")[1].split("\n## ")[0].split("|---|---|\n")[1],
        re.MULTILINE,
    )
)
CHECKS = sorted({check for cell in RULES.values() for check in re.findall("`([^`]+)`", cell)})


def functions_of(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text())
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in tree.body if isinstance(node, functions)}


def is_enabled(code: str) -> bool:
    """Whether ruff looks for it: the longest prefix that is named decides."""
    lint = PROJECT["ruff"]["lint"]
    wanted = max((len(p) for p in lint["select"] if code.startswith(p)), default=0)
    spared = max((len(p) for p in lint["ignore"] if code.startswith(p)), default=0)
    return wanted > spared


def exists(check: str) -> bool:
    tool, _, name = check.partition(": ")
    match tool:
        case "lint-imports":
            return name in CONTRACTS
        case "ruff":
            return is_enabled(name)
        case "mypy":
            return PROJECT["mypy"].get(name) is True
        case "pytest":
            return name in PROJECT["pytest"]["ini_options"]
    if check.startswith("make "):
        makefile = (ROOT / "Makefile").read_text()
        return re.search(rf"^{check.removeprefix('make ')}:", makefile, re.MULTILINE) is not None
    path, _, test = check.partition("::")
    return test.startswith("test_") and test in functions_of(path)


def test_there_are_rules() -> None:
    assert len(RULES) >= 25


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_a_check(rule: str) -> None:
    assert re.findall("`([^`]+)`", RULES[rule])


@pytest.mark.parametrize("check", CHECKS)
def test_every_check_exists(check: str) -> None:
    assert exists(check)


@pytest.mark.parametrize(
    "check",
    [
        *("lint-imports: nothing", "ruff: PLR0913", "ruff: S101", "mypy: lax", "make wishes"),
        *("tests/architecture/test_shape.py::test_nothing", "pytest: hope"),
    ],
)
def test_a_check_that_is_none_would_be_seen(check: str) -> None:
    assert not exists(check)


def test_every_contract_is_behind_a_rule() -> None:
    assert CONTRACTS - {check.removeprefix("lint-imports: ") for check in CHECKS} == set()


@pytest.mark.parametrize("name", ["test_calls.py", "test_shape.py"])
def test_every_house_rule_is_told(name: str) -> None:
    path = f"tests/architecture/{name}"
    tests = {f"{path}::{test}" for test in functions_of(path) if test.startswith("test_")}
    assert tests - set(CHECKS) == set()


def test_what_the_page_points_to_is_there() -> None:
    linked = re.findall(r"\]\(([^)#]+)\)", PAGE)
    written = re.findall(r"`((?:app|tests|docs)/[\w/.]+\.(?:py|md))`", PAGE)
    assert linked
    assert [path for path in {*linked, *written} if not (ROOT / path).exists()] == []


def test_the_targets_that_newcomers_are_told_are_there() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for page in (PAGE, (ROOT / "README.md").read_text()):
        for target in set(re.findall(r"(?:^|`)make ([a-z0-9-]+)", page, re.MULTILINE)):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
