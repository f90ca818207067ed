"""The audit log as one CSV file: whole, in order, safe to open, and never all in memory."""

import csv
import io
import tracemalloc

import pytest

from app.api import audit_file, csv_rows
from app.crud.crud_audit_log import AuditFilter
from tests.api.answers import send
from tests.api.auditing import LOG, entries
from tests.world import Person, World

FILE = f"{LOG}.csv"
ROWS = """
    INSERT INTO audit_log (actor_kind, actor, action, resource_type, resource_id, changes)
    SELECT 'user', 'somebody', 'test.done', 'test', n::text,
        jsonb_build_object('text', jsonb_build_object('before', null, 'after', repeat('x', :size)))
    FROM generate_series(1, :count) n
"""


async def exported(world: World, admin: Person, **where: str) -> list[dict[str, str]]:
    answer = await send(world, "GET", FILE, admin, params=where)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="audit-log.csv"'
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


async def test_the_file_says_what_the_list_says(world: World) -> None:
    admin = await world.admin()
    await world.declare(admin, title='He said "no",\nthen left')
    key = await world.integration_key(admin)
    await world.alert(key)
    rows = await exported(world, admin)
    listed = list(reversed(await entries(world, admin)))
    assert [row["id"] for row in rows] == [str(entry["id"]) for entry in listed]
    assert [row["action"] for row in rows] == [entry["action"] for entry in listed]
    assert rows[-1]["created_at"] == listed[-1]["created_at"]
    assert "\\nthen left" in rows[-1]["changes"]
    narrowed = await exported(world, admin, resource_type="incident")
    assert [row["action"] for row in narrowed] == ["incident.created"]
    assert await exported(world, admin, since="2999-01-01T00:00:00Z") == []
    await world.call("GET", FILE, admin, params={"users": 1}, expect=422)


@pytest.mark.parametrize("count", [499, 500, 501, 1250])
async def test_the_file_is_whole_at_every_length(world: World, count: int) -> None:
    admin = await world.admin()
    await world.sql(ROWS, count=count, size=1)
    rows = await exported(world, admin)
    assert [row["resource_id"] for row in rows] == [str(n) for n in range(count, 0, -1)]


async def test_what_is_written_meanwhile_neither_shifts_nor_joins_it(world: World) -> None:
    await world.sql(ROWS, count=1200, size=1)
    parts = audit_file._rows(world.database, AuditFilter())
    text = await anext(parts)
    await world.sql(ROWS, count=10, size=1)
    text += "".join([part async for part in parts])
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len({row["id"] for row in rows}) == len(rows) == 1200


async def test_however_many_rows_few_are_in_memory(world: World) -> None:
    await world.sql(ROWS, count=6_000, size=2_000)
    parts = audit_file._rows(world.database, AuditFilter())
    await anext(parts)
    tracemalloc.start()
    written = 0
    async for part in parts:
        written += len(part)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert written > 10_000_000
    assert peak < written / 2


async def test_no_connection_is_held_while_the_reader_takes_its_time(world: World) -> None:
    await world.sql(ROWS, count=600, size=1)
    parts = audit_file._rows(world.database, AuditFilter())
    await anext(parts)
    open_ones = await world.sql(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND state LIKE 'idle in transaction%'"
    )
    assert open_ones[0][0] == 0
    await parts.aclose()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", '=HYPERLINK("x")', "＝1"]
)
def test_no_cell_is_a_formula(text: str) -> None:
    [row] = csv.reader(io.StringIO(csv_rows.lines([[text, 7, -3, None, {"a": "ä"}]]), newline=""))
    assert row == [f"'{text}", "7", "-3", "", '{"a": "ä"}']


async def test_what_people_are_called_is_no_formula_either(world: World) -> None:
    admin = await world.admin()
    await world.call("PATCH", "/v1/users/me", admin, json={"full_name": '=cmd|"/C calc"!A0'})
    await world.declare(admin)
    rows = await exported(world, admin, action="incident.created")
    assert rows[0]["actor"] == '\'=cmd|"/C calc"!A0'
