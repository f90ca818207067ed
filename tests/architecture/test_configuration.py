"""docs/configuration.md says what the code does: every setting, its default, bounds and effect."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from app.core.config import Settings
from app.core.load import UNSAFE_IN_PRODUCTION

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "configuration.md").read_text()
ROW = re.compile(r"^\| `([A-Z][A-Z_]+)` \| (.+?) \| (.+) \|$", re.MULTILINE)
ELSEWHERE = "## Other variables"
SETTINGS = {f"TOCSIN_{name.upper()}": field for name, field in Settings.model_fields.items()}


def rows(text: str) -> dict[str, tuple[str, str]]:
    found = ROW.findall(text)
    assert len(found) == len({name for name, _, _ in found}), "one variable, one row"
    return {name: (second, third) for name, second, third in found}


OTHERS = rows(PAGE.split(ELSEWHERE)[1].split("\n## ")[0])
TOLD = rows(PAGE.split(ELSEWHERE)[0])


def shown(value: object) -> str:
    return "not set" if value in (None, "") else f"`{value}`"


def default(field: FieldInfo) -> str:
    """The default as the page must show it."""
    if field.default is not PydanticUndefined:
        return shown(field.default)
    here, there = (
        field.get_default(call_default_factory=True, validated_data={"environment": environment})
        for environment in ("development", "production")
    )
    return f"{shown(here)}; in production {shown(there)}"


def bounds(field: FieldInfo) -> Iterator[str]:
    """What a value is bounded by, as the page must mention it."""
    for rule in field.metadata:
        for name in ("ge", "gt", "le", "lt"):
            if hasattr(rule, name):
                yield rf"\b{getattr(rule, name)}\b"
    for word in choices(field.annotation):
        yield f"`{word}`"


def choices(annotation: Any) -> list[str]:
    return [word for word in get_args(annotation) if isinstance(word, str)]


def test_every_setting_is_told_and_nothing_else() -> None:
    assert list(TOLD.keys() ^ SETTINGS.keys()) == []


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_is_told_as_it_is(name: str) -> None:
    field = SETTINGS[name]
    told_default, effect = TOLD[name]
    assert told_default == default(field)
    assert field.description, f"{name} has no description"
    assert field.description.endswith(".")
    assert effect.startswith(field.description)
    for bound in bounds(field):
        assert re.search(bound, effect), bound


def read_elsewhere() -> set[str]:
    """The variables that the code reads by name, past the settings."""
    found = set()
    for path in (ROOT / "app").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Attribute(attr="environ")),
                    args=[ast.Constant(value=str(name)), *_],
                ):
                    found.add(name)
                case ast.Call(
                    func=ast.Attribute(attr="getenv"), args=[ast.Constant(value=str(name)), *_]
                ):
                    found.add(name)
                case ast.Subscript(
                    value=ast.Attribute(attr="environ"), slice=ast.Constant(value=str(name))
                ):
                    found.add(name)
    return found


def test_every_variable_that_is_read_elsewhere_is_told_too() -> None:
    assert read_elsewhere() == set(OTHERS)
    assert all(len(effect) > 20 for _, effect in OTHERS.values())


def test_all_that_production_refuses_is_listed() -> None:
    listed = PAGE.split("## In production")[1].split("\n## ")[0]
    for _, sentence in UNSAFE_IN_PRODUCTION:
        name = re.match(r"TOCSIN_[A-Z_]+", sentence)
        assert name is not None
        assert f"`{name[0]}`" in listed


def test_no_page_names_a_setting_that_there_is_not() -> None:
    known = SETTINGS.keys() | OTHERS.keys()
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    for page in pages:
        named = set(re.findall(r"\bTOCSIN_[A-Z_]*[A-Z]\b", page.read_text()))
        assert named - known == set(), page.name


def test_the_readme_tells_the_defaults_as_they_are() -> None:
    told = rows((ROOT / "README.md").read_text())
    assert 5 <= len(told) <= 12
    for name, (told_default, _) in told.items():
        field = SETTINGS["TOCSIN_" + name.removeprefix("TOCSIN_")]
        assert told_default == default(field), name
