"""GET /v1/public/stream: everybody may listen, and hears only what was written for everybody."""

import json

import pytest
from pydantic import ValidationError

from app.db.session import transaction_time
from app.domain.event import EventType
from app.schemas.event import PublicNews
from app.services import event as event_service
from tests.streams.listening import Stage, listening

NEWS = PublicNews(
    type=EventType.UPDATE_POSTED,
    public_id="inc_1",
    title="Checkout is slow",
    status="investigating",
    body="We are looking into it.",
    components=["Checkout"],
)


async def publish(stage: Stage, news: PublicNews = NEWS) -> None:
    async with stage.database.writing() as session:
        await event_service.publish(session, news, now=await transaction_time(session))
    await stage.relay()


async def test_the_public_hears_what_was_written_for_it_and_nothing_else(stage: Stage) -> None:
    """Everything that can happen to an incident, with a marked word in all that is internal."""
    admin = await stage.world.admin()
    async with listening(stage.http, "/v1/public/stream") as stream:
        await stage.joined(1)
        incident = await stage.world.declare(admin, title="INTERNAL", service="INTERNAL")
        for action, body in (
            ("comments", {"content": "INTERNAL"}),
            ("assignments", {"user_id": admin.id}),
            ("acknowledge", None),
            ("resolve", None),
        ):
            status = 201 if action == "comments" else 200
            await stage.world.act(admin, incident["id"], action, expect=status, json=body)
        await publish(stage)
        told = await stream.event()
    assert (told.event, told.id) == ("incident.update_posted", 6)
    assert told.data["data"] == NEWS.model_dump(mode="json", exclude={"type"})
    assert set(told.data) == {"id", "type", "data", "created_at"}

    path = "/v1/public/stream?follow=false&last_event_id=0"
    async with listening(stage.http, path) as stream:
        assert [event.id for event in await stream.rest()] == [6]


async def test_what_is_not_in_the_publics_shape_is_told_to_nobody(stage: Stage) -> None:
    """A slip anywhere that writes events: columns of an incident beside the public's text."""
    await stage.world.sql(
        "INSERT INTO events (type, audience, service, severity, data)"
        " VALUES ('incident.update_posted', 'public', 'INTERNAL', 'high', :whole),"
        " ('incident.update_posted', 'public', NULL, NULL, '{}')",
        whole=json.dumps(NEWS.model_dump(mode="json", exclude={"type"}) | {"labels": "INTERNAL"}),
    )
    await stage.relay()
    answer = await stage.http.get("/v1/public/stream?follow=false&last_event_id=0")
    assert "INTERNAL" not in answer.text
    assert answer.text.count("event: ") == 1


async def test_the_console_is_not_told_the_publics_events(stage: Stage) -> None:
    admin = await stage.world.admin()
    await publish(stage)
    path = "/v1/stream?follow=false&last_event_id=0"
    async with listening(stage.http, path, headers=admin.headers) as stream:
        assert await stream.rest() == []


def test_there_is_no_room_for_anything_internal() -> None:
    with pytest.raises(ValidationError):
        PublicNews.model_validate(NEWS.model_dump() | {"incident_id": 7})
