"""What PostgreSQL writes of an incident on a list is what `IncidentRead` says of it."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from app.crud import crud_incident_list, crud_incident_shown
from app.crud.base import Window
from app.crud.crud_incident_list import IncidentFilter
from app.schemas.base import PageRead
from app.schemas.incident import IncidentRead
from tests.world import Person, World

FILL = """
    INSERT INTO incidents (title, description, severity, service, source, url, tags, labels,
        custom_fields, status, acknowledged_at, acknowledged_by, resolved_at, resolved_by,
        snoozed_until, created_by, assigned_to, deleted_at, deleted_by, created_at, updated_at)
    SELECT title, description, severity, 'Ünicode “db”', source, 'https://example.org/' || n, tags,
        labels::jsonb, fields::jsonb, status,
        CASE WHEN status <> 'open' THEN at END, CASE WHEN status <> 'open' THEN {user} END,
        CASE WHEN status = 'resolved' THEN at END, CASE WHEN status = 'resolved' THEN {user} END,
        CASE WHEN status = 'open' THEN at END, {user}, {user},
        CASE WHEN n = 3 THEN at END, CASE WHEN n = 3 THEN {user} END, at, at
    FROM (VALUES
        (1, 'Disk "full"' || chr(10) || '\\', NULL, 'high', NULL, '{{}}'::text[], '{{}}', '{{}}',
            'open', timestamptz '2027-01-31 08:00:00+00'),
        (2, '🔥 </script>' || chr(8232), '', 'critical', 'tool', '{{a,"b \\"c\\"",null}}',
            '{{"ä": "1", "b": ""}}',
            '{{"n": 1.50, "big": 12345678901234567890, "yes": true, "no": null, "of": ["x", 1e2]}}',
            'acknowledged', timestamptz '2027-07-31 08:00:00.123450+05:30'),
        (3, 'gone', 'x', 'low', 'tool', '{{eu}}', '{{}}', '{{}}', 'resolved',
            timestamptz '1999-12-31 23:59:59.000001-11')
    ) v (n, title, description, severity, source, tags, labels, fields, status, at)
"""


async def filled(world: World, person: Person) -> None:
    await world.sql(FILL.replace("null}}", "d}}").format(user=person.id))
    await world.sql(
        "INSERT INTO incident_tallies (incident_id, alert_count, last_alert_at)"
        " SELECT id, id, CASE WHEN status = 'open' THEN created_at END FROM incidents"
    )
    nameless = await world.person("nameless@example.org")
    await world.sql(f"UPDATE users SET full_name = '' WHERE id = {nameless.id}")
    for user, role in ((nameless, "observer"), (person, "commander")):
        await world.sql(
            "INSERT INTO incident_assignments (incident_id, user_id, role, assigned_at)"
            f" SELECT id, {user.id}, '{role}', updated_at FROM incidents WHERE status <> 'open'"
        )


async def told(world: World, items: Sequence[str]) -> list[Any]:
    """The same by way of the schema, as the single incident is read."""
    shown = []
    async with world.database.reading() as session:
        for item in items:
            row = await crud_incident_shown.row(session, json.loads(item)["id"])
            shown.append(IncidentRead.model_validate(row).model_dump(mode="json"))
    return shown


@pytest.mark.parametrize("where", [IncidentFilter(), IncidentFilter(deleted=True)])
async def test_a_list_shows_what_the_schema_says(world: World, where: IncidentFilter) -> None:
    await filled(world, await world.person())
    found = await crud_incident_list.list_page(world.database, where, Window(10))
    assert len(found.items) == (1 if where.deleted else 2)
    listed = [json.loads(item) for item in found.items]
    assert listed == await told(world, found.items)
    assert all(list(item) == list(IncidentRead.model_fields) for item in listed)
    assert all(IncidentRead.model_json_schema()["required"] == list(item) for item in listed)


async def test_what_is_found_is_shown_alike(world: World) -> None:
    await filled(world, await world.person())
    rows = await world.sql("SELECT id FROM incidents ORDER BY id DESC")
    ids = [row[0] for row in rows]
    async with world.database.reading() as session:
        items = await crud_incident_shown.as_json(session, ids)
    assert [json.loads(item)["id"] for item in items] == ids
    assert [json.loads(item) for item in items] == await told(world, items)


async def test_the_page_around_them_is_that_of_every_list(world: World) -> None:
    who = await world.person()
    await filled(world, who)
    for query in ("per_page=1", "page=9", "status=resolved", "search=disk", "per_page=100"):
        page = await world.call("GET", f"/v1/incidents?{query}", who)
        assert list(page) == list(PageRead[IncidentRead].model_fields), query
        assert page == PageRead[dict[str, Any]].model_validate(page).model_dump(mode="json")
        assert page["total"] == {"status=resolved": 0, "search=disk": 1}.get(query, 2), query
