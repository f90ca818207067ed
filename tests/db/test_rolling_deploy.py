"""While replicas are replaced one by one, the old code works on the new schema.

It still finds every column it reads, and may leave out every column it has never heard of. So
migrations only add: docs/operations.md has the rules, and how to take something away in the end.
"""

import ast
import asyncio
import re
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from app.db import migrations
from tests.conftest import plain

ROOT = Path(__file__).parents[2]
FIRST_RELEASED = "0003"
COLUMNS = """
SELECT table_name || '.' || column_name AS name, data_type, is_nullable = 'YES' AS may_be_null,
    column_default IS NOT NULL OR is_identity = 'YES' OR is_generated = 'ALWAYS' AS fills_itself
FROM information_schema.columns WHERE table_schema = 'public'
"""
UNIQUE = """
SELECT i.indexrelid::regclass::text AS name, i.indrelid::regclass::text AS of_table,
    i.indnullsnotdistinct AS meets_nulls, ARRAY(
        SELECT a.attname::text FROM pg_attribute a
        WHERE a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
    ) AS columns
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indisunique AND c.relnamespace = 'public'::regnamespace
"""

Row = dict[str, Any]


async def found(url: str, query: str) -> dict[str, Row]:
    connection = await asyncpg.connect(plain(url))
    try:
        return {row["name"]: dict(row) for row in await connection.fetch(query)}
    finally:
        await connection.close()


def in_the_way(before: dict[str, Row], after: dict[str, Row]) -> list[str]:
    """What old code would stumble over, a sentence each."""
    tables = {name.split(".")[0] for name in before}
    told = [f"{name} is gone" for name in before.keys() - after.keys()]
    for name, now in after.items():
        was = before.get(name)
        if was is not None and now["data_type"] != was["data_type"]:
            told.append(f"{name} has another type")
        can_be_left_out = now["may_be_null"] or now["fills_itself"]
        could_be_left_out = was is None or was["may_be_null"] or was["fills_itself"]
        if name.split(".")[0] in tables and could_be_left_out and not can_be_left_out:
            told.append(f"{name} must be written now")
    return sorted(told)


def stays_null(index: Row, before: dict[str, Row], after: dict[str, Row]) -> bool:
    """Whether old code leaves a column of it empty: what is null is equal to nothing."""
    columns = [f"{index['of_table']}.{column}" for column in index["columns"]]
    new = [after[column] for column in columns if column not in before]
    return any(column["may_be_null"] and not column["fills_itself"] for column in new)


async def test_code_of_the_release_before_works_on_this_schema(empty_database_url: str) -> None:
    await asyncio.to_thread(migrations.upgrade, empty_database_url, FIRST_RELEASED)
    before = await found(empty_database_url, COLUMNS)
    unique_before = await found(empty_database_url, UNIQUE)
    await asyncio.to_thread(migrations.upgrade, empty_database_url)
    after = await found(empty_database_url, COLUMNS)
    assert len(before) > 100
    assert in_the_way(before, after) == []
    tables = {name.split(".")[0] for name in before}
    added = {
        name
        for name, index in (await found(empty_database_url, UNIQUE)).items()
        if name not in unique_before and index["of_table"] in tables
        if index["meets_nulls"] or not stays_null(index, before, after)
    }
    assert added == set(), "what old code writes could be refused"


COLUMN: Row = {"data_type": "text", "may_be_null": True, "fills_itself": False}


@pytest.mark.parametrize(
    ("after", "told"),
    [
        ({}, ["t.a is gone"]),
        ({"t.a": {**COLUMN, "data_type": "bigint"}}, ["t.a has another type"]),
        ({"t.a": {**COLUMN, "may_be_null": False}}, ["t.a must be written now"]),
        ({"t.a": COLUMN, "t.b": {**COLUMN, "may_be_null": False}}, ["t.b must be written now"]),
        ({"t.a": {**COLUMN, "may_be_null": False, "fills_itself": True}}, []),
        ({"t.a": COLUMN, "t.b": COLUMN}, []),
        ({"t.a": COLUMN, "new.a": {**COLUMN, "may_be_null": False}}, []),
    ],
)
def test_what_would_be_in_the_way_is_seen(after: dict[str, Row], told: list[str]) -> None:
    assert in_the_way({"t.a": COLUMN}, after) == told


def upgrade_of(path: Path) -> ast.FunctionDef:
    (made,) = [
        node
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name == "upgrade"
    ]
    return made


def later() -> list[Path]:
    """Every migration after the first release."""
    files = (ROOT / "alembic" / "versions").glob("[0-9]*.py")
    return sorted(path for path in files if path.name[:4] > FIRST_RELEASED)


@pytest.mark.parametrize("path", later(), ids=lambda path: path.stem)
def test_a_check_is_only_taken_away_to_be_made_anew(path: Path) -> None:
    calls = re.findall(r"op\.(\w+)\(\s*(?:op\.f\()?[\"']?(\w*)", ast.unparse(upgrade_of(path)))
    gone = {name for call, name in calls if call == "drop_constraint"}
    made = {name for call, name in calls if call == "create_check_constraint"}
    assert gone - made == set()
    assert {call for call, _ in calls} & {"drop_column", "drop_table", "rename_table"} == set()
