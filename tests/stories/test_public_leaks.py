"""No internal text reaches the public: secrets in every internal column, every public door read.

The columns are found by looking at the models, so that one that is added tomorrow is planted, too.
What is the public's own is named here, column by column, and nothing else is.
"""

from typing import Any

from sqlalchemy import ARRAY, Column, Enum, String, Table
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import metadata
from app.worker.relay import Relay
from tests.api.catalogue import a_service, a_team
from tests.api.publishing import (
    PAGE,
    UPDATES,
    a_component,
    a_group,
    announce,
    hitting,
    post,
    public,
    publish,
    turn,
)
from tests.permissions import TABLE
from tests.postmortems import begun, path_of
from tests.world import Person, World

SECRET = "LEAK"
# What was written for the public, and how the public's own things are called.
THE_PUBLICS = {
    "status_pages": {"name", "url", "description", "support_url", "time_zone", "update_minutes"},
    "component_groups": {"name", "description"},
    "status_components": {"name", "description"},
    "public_incidents": {"code", "title"},
    "public_maintenances": {"code", "title"},
    "public_updates": {"body", "changes"},
    "postmortems": {"public_summary", "public_body"},
}
# Of the change feed, what was told to the public is the public's.
ONLY_CONSOLE = " WHERE audience = 'console'"
PAGES = (
    *("/status", "/status/history", "/status/history.rss", "/status/history.atom"),
    *("/status/badge.svg", "/status/incidents/{code}", "/status/badges/{component}.svg"),
)
# Where a secret must have been planted for the test to mean anything.
AT_LEAST = {
    *("incidents.title", "incidents.description", "incidents.tags", "incidents.labels"),
    *("incidents.service", "incident_comments.content", "timeline_events.description"),
    *("timeline_events.metadata", "users.full_name", "users.email", "services.name"),
    *("services.description", "teams.name", "alerts.title", "public_update_versions.body"),
    *("events.data", "events.service", "postmortems.root_cause", "postmortems.title"),
}


def _planted(column: Column[Any]) -> str | None:
    """What is written into a column, as SQL; None where there is no room for words."""
    secret = f"'{SECRET}-{column.table.name}-{column.name}-' || ctid::text"
    kind = column.type
    if column.computed is not None or column.identity is not None or isinstance(kind, Enum):
        return None
    if isinstance(kind, JSONB):
        return f"jsonb_build_object('{SECRET}', {secret}, 'title', {secret})"
    if isinstance(kind, ARRAY) and isinstance(kind.item_type, String):
        return f"ARRAY[{secret}]"
    if isinstance(kind, String):
        return f"left({secret}, {kind.length})" if kind.length else secret
    return None


async def _plant(world: World) -> set[str]:
    """Write a secret into every column that takes one; which those are."""
    planted = set()
    async with world.database.writing() as session:
        for table in metadata.sorted_tables:
            for column in table.columns:
                name = f"{table.name}.{column.name}"
                if column.name not in THE_PUBLICS.get(table.name, ()):
                    planted |= {name} if await _plant_one(session, table, column) else set()
    return planted


async def _plant_one(session: AsyncSession, table: Table, column: Column[Any]) -> bool:
    value = _planted(column)
    if value is None:
        return False
    where = ONLY_CONSOLE if column.table.name == "events" else ""
    statement = f'UPDATE {table.name} SET "{column.name}" = {value}{where} RETURNING 1'
    try:
        async with session.begin_nested():
            connection = await session.connection()
            return bool((await connection.exec_driver_sql(statement)).all())
    except DBAPIError:  # a word of ours, an address, a number: there is no room for others
        return False


async def _told(world: World) -> tuple[str, int]:
    """Everything that is there, some of it published; a code and a component of the public's."""
    admin = await world.admin()
    team = await a_team(world, admin)
    service = await a_service(world, admin, team_id=team["id"], description="Internal.")
    group = await a_group(world, admin, description="Where people buy.")
    component = await a_component(
        world, admin, group_id=group["id"], service_id=service["id"], description="Paying."
    )
    key = await world.integration_key(admin)
    number = (await world.alert(key, description="Internal.", labels={"a": "b"}))["incident_id"]
    incident = {"id": number}
    fields = {"tags": ["internal"], "description": "Internal."}
    await world.call("PATCH", f"/v1/incidents/{number}", admin, json=fields)
    comment = {"content": "Internal."}
    await world.act(admin, number, "comments", json=comment, expect=201)
    effects = hitting("partial_outage", component)
    made = await publish(world, admin, incident, components=effects, impact="major")
    update = await post(world, admin, incident, body="PUBLIC WORDS", status="identified")
    body = {"body": "PUBLIC WORDS, BETTER"}
    await world.call("PATCH", f"{UPDATES}/{update['id']}", admin, json=body)
    await post(world, admin, incident, body="A draft.", is_draft=True)
    await announce(world, admin, component)
    await post(world, admin, incident, body="PUBLIC END", status="resolved")
    await _learned(world, admin, number)
    await turn(world)
    await Relay(world.database).round()
    return made["code"], component["id"]


async def _learned(world: World, admin: Person, number: int) -> None:
    """A postmortem of which the public reads a part."""
    fields = {"root_cause": "Internal.", "public_summary": "PUBLIC LESSON"}
    await begun(world, admin, number, **fields)
    path = path_of(number)
    await world.call("POST", f"{path}/submit", admin)
    await world.call("POST", f"{path}/publish", admin, json={"is_public": True})


def _doors(code: str, component: int) -> list[str]:
    """Every GET that asks nobody who they are."""
    routes = [
        path.split()[1]
        for path, expected in TABLE.items()
        if path.startswith("GET") and expected == "ok ok ok ok"
    ]
    keys = {"code": code, "component": component, "token": "guess"}
    doors = [path.format(**keys) for path in (*routes, *PAGES) if _is_open(path)]
    return [
        f"{path}?follow=false&last_event_id=0" if path == "/v1/public/stream" else path
        for path in doors
    ]


def _is_open(path: str) -> bool:
    """Not somebody's own link, which shows what is theirs."""
    return path.startswith(("/v1/public", "/api/v2", "/status")) and "{token}" not in path


async def test_no_internal_word_reaches_any_public_door(world: World) -> None:
    code, component = await _told(world)
    planted = await _plant(world)
    assert planted >= AT_LEAST, AT_LEAST - planted
    read = {}
    for path in _doors(code, component):
        answer = await world.client.get(path)
        assert answer.status_code in (200, 404), f"{path} answered {answer.status_code}"
        assert SECRET not in answer.text, f"{path} tells {answer.text}"
        read[path] = answer
    assert len(read) > 20
    missing = {path for path, answer in read.items() if answer.status_code == 404}
    assert missing == {f"/v1/public/maintenances/{code}"}  # it is an incident's
    page = f"/status/incidents/{code}"
    for path in ("/v1/public/incidents", "/api/v2/incidents.json", "/status/history.atom", page):
        assert "PUBLIC WORDS, BETTER" in read[path].text, path
        assert "A draft." not in read[path].text, path
    assert "PUBLIC LESSON" in read[f"/v1/public/incidents/{code}"].text
    stream = read["/v1/public/stream?follow=false&last_event_id=0"].text
    assert stream.count("event: ") >= 5


async def test_an_author_is_named_only_where_the_page_says_so(world: World) -> None:
    admin = await world.admin()
    await world.call("PATCH", "/v1/users/me", admin, json={"full_name": "Ana Secret"})
    incident = await world.declare(admin)
    await publish(world, admin, incident)
    assert "Ana Secret" not in (await world.client.get("/v1/public/status")).text
    await world.call("PATCH", PAGE, admin, json={"shows_authors": True})
    assert "Ana Secret" in (await world.client.get("/v1/public/status")).text
    assert public(incident)
