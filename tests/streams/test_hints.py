"""Hints on the stream: what kind of thing somebody changed, for pages that show them."""

from tests.streams.listening import Stage, listening

PATH = "/v1/stream?changes=true"


async def test_who_wants_to_know_is_told_what_kind_of_thing_was_changed(stage: Stage) -> None:
    admin = await stage.world.admin()
    async with (
        listening(stage.http, PATH, headers=admin.headers) as curious,
        listening(stage.http, headers=admin.headers) as other,
    ):
        await stage.joined(2)
        await stage.world.call("POST", "/v1/teams", admin, expect=201, json={"name": "Web"})
        told = await curious.event()
        assert (told.event, told.id, told.data) == ("changed", None, {"resources": ["team"]})
        await stage.world.declare(admin)
        await stage.relay()
        assert (await other.event()).event == "incident.created"


async def test_what_came_to_nothing_is_no_change(stage: Stage) -> None:
    admin = await stage.world.admin()
    async with listening(stage.http, PATH, headers=admin.headers) as curious:
        await stage.joined(1)
        await stage.world.call("POST", "/v1/teams", admin, expect=422, json={"name": ""})
        await stage.world.call("POST", "/v1/services", admin, expect=201, json={"name": "db"})
        assert (await curious.event()).data == {"resources": ["service"]}
