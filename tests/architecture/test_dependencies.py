"""What the code imports is what pyproject.toml asks for, and what the lock files give."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import distributions
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# Each made for the other, and pinned by it: to name a version of our own could only contradict.
COMES_WITH = {"starlette": "fastapi", "pydantic-core": "pydantic"}
EXTRAS = {"app/core/otlp.py": "otel"}  # loaded only where the extra is
MODULES = [str(path.relative_to(ROOT)) for path in sorted((ROOT / "app").rglob("*.py"))]


def named(requirement: str) -> str:
    """Which distribution this line asks for."""
    name = re.match(r"[\w.-]+", requirement)
    assert name is not None
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def asked_for(module: str) -> set[str]:
    extra = EXTRAS.get(module)
    lines = PROJECT["dependencies"] + (
        PROJECT["optional-dependencies"][extra] if extra is not None else []
    )
    return {named(line) for line in lines}


def imported(module: str) -> Iterator[str]:
    """The modules of others that this one names."""
    for node in ast.walk(ast.parse((ROOT / module).read_text())):
        if isinstance(node, ast.Import):
            found = [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            assert node.module is not None
            # Of a package that several share each part has an owner of its own.
            inside = [f"{node.module}.{name.name}" for name in node.names]
            found = inside if _is_shared(node.module) else [node.module]
        else:
            continue
        yield from (name for name in found if name.split(".")[0] not in KNOWN)


KNOWN = sys.stdlib_module_names | {"app"}


def _is_shared(module: str) -> bool:
    if module.split(".", maxsplit=1)[0] in KNOWN:
        return False
    spec = find_spec(module)
    return spec is not None and spec.origin is None


OWNERS = {
    str(path.locate()): named(distribution.metadata["Name"])
    for distribution in distributions()
    for path in distribution.files or ()
    if path.suffix in {".py", ".so"}
}


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_nothing_that_comes_by_chance(module: str) -> None:
    """What others bring along goes when they change their minds."""
    may = asked_for(module)
    for name in imported(module):
        spec = find_spec(name)
        assert spec is not None, name
        owner = OWNERS[str(spec.origin)]
        assert COMES_WITH.get(owner, owner) in may, f"{name} is asked for by nobody"


# --- The lock files -----------------------------------------------------------------------


def pins(name: str) -> set[str]:
    """The lines of a lock file that name a version."""
    text = (ROOT / name).read_text()
    return set(re.findall(r"^([\w.-]+==\S+)", text, re.MULTILINE))


def test_the_image_has_what_everybody_has_and_what_sends_traces() -> None:
    image, everybody = pins("requirements-image.txt"), pins("requirements.txt")
    assert everybody < image
    assert set(PROJECT["optional-dependencies"]["otel"]) <= image - everybody
    assert image <= pins("requirements-dev.txt")  # what was tested
    assert "--require-hashes -r requirements-image.txt" in (ROOT / "Dockerfile").read_text()


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-image.txt"])
def test_a_lock_file_has_what_is_asked_for(name: str) -> None:
    wanted = {
        re.split(r"[; ]", re.sub(r"\[.*?\]", "", line))[0] for line in PROJECT["dependencies"]
    }
    assert wanted <= pins(name)
