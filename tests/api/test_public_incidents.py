"""Publishing an incident and telling the public how it goes on: what commits together."""

import asyncio
from typing import Any

from app.domain.public_incident import TRANSITIONS, PublicStatus
from tests.api.publishing import (
    UPDATES,
    a_component,
    hitting,
    post,
    public,
    publish,
    status_of,
)
from tests.world import World


async def test_one_act_shows_an_incident_in_public_words_only(world: World) -> None:
    admin = await world.admin()
    component = await a_component(world, admin)
    incident = await world.declare(admin, title="pg-7 lost its WAL", service="internal-db")
    made = await publish(
        world,
        admin,
        incident,
        impact="major",
        components=hitting("partial_outage", component),
    )
    assert (made["status"], made["impact"]) == ("investigating", "major")
    assert made["components"] == [
        {"id": component["id"], "name": "Checkout", "status": "partial_outage"}
    ]
    shown = await world.call("GET", "/v1/public/status")
    [seen] = shown["incidents"]
    assert (seen["title"], seen["updates"][0]["body"]) == (
        "Checkout is slow",
        "We are looking into it.",
    )
    assert shown["level"] == "major"
    assert shown["headline"] == "Checkout is partly down."
    assert await status_of(world, component) == "partial_outage"
    timeline = await world.call("GET", f"/v1/incidents/{incident['id']}/timeline", admin)
    assert timeline["items"][-1]["event_type"] == "published"
    events = await world.sql("SELECT type, data FROM events WHERE audience = 'public' ORDER BY id")
    assert [row.type for row in events] == ["component.status_changed", "incident.created"]
    assert events[1].data["public_id"] == made["code"]
    [notice] = await world.sql("SELECT * FROM public_notices")
    assert (notice.kind, notice.component_ids) == ("incident_created", [component["id"]])
    audited = await world.sql("SELECT action FROM audit_log ORDER BY id")
    assert {"public_incident.created", "public_update.created"} <= {row.action for row in audited}


async def test_the_public_learns_no_number_of_ours(world: World) -> None:
    admin = await world.admin()
    incident = await world.declare(admin)
    made = await publish(world, admin, incident)
    assert len(made["code"]) == 24
    await world.call("GET", f"/v1/public/incidents/{made['code']}")
    for guess in (incident["id"], made["id"], "0" * 24):
        refused = await world.call("GET", f"/v1/public/incidents/{guess}", expect=404)
        assert refused["code"] == "INCIDENT_NOT_FOUND"


async def test_what_is_published_is_not_published_again(world: World) -> None:
    admin = await world.admin()
    incident = await world.declare(admin)
    first = await publish(world, admin, incident)
    refused = await publish(world, admin, incident, expect=409)
    assert refused["code"] == "INCIDENT_ALREADY_PUBLISHED"
    await world.call("DELETE", public(incident), admin, expect=204)
    assert (await world.call("GET", "/v1/public/status"))["incidents"] == []
    await world.call("GET", f"/v1/public/incidents/{first['code']}", expect=404)
    await world.call("GET", public(incident), admin, expect=404)
    again = await publish(world, admin, incident)
    assert again["code"] != first["code"]


async def test_a_fire_drill_is_no_news(world: World) -> None:
    admin = await world.admin()
    drill = await world.call("POST", "/v1/fire-drills", admin, expect=201, json={"message": "Hm."})
    refused = await publish(world, admin, {"id": drill["incident_id"]}, expect=409)
    assert refused["code"] == "DRILL_IS_NOT_PUBLIC"


async def test_every_step_of_the_public_status_is_in_the_law(world: World) -> None:
    admin = await world.admin()
    for was in PublicStatus:
        for wanted in PublicStatus:
            incident = await world.declare(admin)
            await publish(world, admin, incident, status=was)
            is_allowed = wanted is was or wanted in TRANSITIONS[was]
            answer = await post(
                world, admin, incident, status=wanted, expect=201 if is_allowed else 400
            )
            if is_allowed:
                now = await world.call("GET", public(incident), admin)
                assert now["status"] == wanted
                assert (now["resolved_at"] is not None) is (wanted == "resolved")
            else:
                assert answer["code"] == "INVALID_STATUS_TRANSITION"
                assert answer["details"] == {
                    "current": was,
                    "allowed": [status.value for status in TRANSITIONS[was]],
                }


async def test_a_public_end_is_the_end(world: World) -> None:
    admin = await world.admin()
    component = await a_component(world, admin)
    incident = await world.declare(admin)
    await publish(world, admin, incident, components=hitting("major_outage", component))
    await post(world, admin, incident, status="resolved", body="Mended.")
    now = await world.call("GET", f"/v1/incidents/{incident['id']}", admin)
    assert now["status"] == "resolved"
    assert await status_of(world, component) == "operational"
    shown = await world.call("GET", "/v1/public/status")
    assert (shown["incidents"], shown["level"]) == ([], "none")
    await post(world, admin, incident, status="investigating", body="It is back.")
    now = await world.call("GET", f"/v1/incidents/{incident['id']}", admin)
    assert now["status"] == "open"
    assert await status_of(world, component) == "major_outage"


async def test_whoever_resolves_tells_the_public_in_the_same_act(world: World) -> None:
    admin = await world.admin()
    incident = await world.declare(admin)
    await publish(world, admin, incident)
    body = {"public_update": {"body": "All is well again."}}
    await world.act(admin, incident["id"], "resolve", json=body)
    told = await world.call("GET", public(incident), admin)
    assert told["status"] == "resolved"
    updates = await world.call("GET", f"{public(incident)}/updates", admin)
    assert [one["body"] for one in updates["items"]] == [
        "All is well again.",
        "We are looking into it.",
    ]
    unpublished = await world.declare(admin)
    refused = await world.act(admin, unpublished["id"], "resolve", json=body, expect=404)
    assert refused["code"] == "PUBLIC_INCIDENT_NOT_FOUND"
    still = await world.call("GET", f"/v1/incidents/{unpublished['id']}", admin)
    assert still["status"] == "open"


async def test_a_tool_resolves_and_publishes_nothing(world: World) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin)
    number = (await world.alert(key))["incident_id"]
    await publish(world, admin, {"id": number})
    await world.alert(key, status="resolved")
    assert (await world.call("GET", f"/v1/incidents/{number}", admin))["status"] == "resolved"
    told = await world.call("GET", f"/v1/incidents/{number}/public", admin)
    assert told["status"] == "investigating"


async def test_a_draft_is_nobodys_news_until_it_is_posted(world: World) -> None:
    admin = await world.admin()
    component = await a_component(world, admin)
    incident = await world.declare(admin)
    made = await publish(world, admin, incident)
    draft = await post(world, admin, incident, is_draft=True, status="identified", body="Teh DNS.")
    assert draft["posted_at"] is None
    path = f"{UPDATES}/{draft['id']}"
    await world.call("PATCH", path, admin, json={"body": "The DNS."})
    seen = await world.call("GET", f"/v1/public/incidents/{made['code']}")
    assert len(seen["updates"]) == 1
    said = {"components": hitting("degraded_performance", component), "impact": "minor"}
    posted = await world.call("POST", f"{path}/post", admin, json=said)
    assert posted["changes"] == [
        {
            "id": component["id"],
            "name": "Checkout",
            "before": "operational",
            "after": "degraded_performance",
        }
    ]
    seen = await world.call("GET", f"/v1/public/incidents/{made['code']}")
    assert (seen["status"], seen["impact"]) == ("identified", "minor")
    assert seen["updates"][0]["body"] == "The DNS."
    assert (await world.call("GET", f"{path}/versions", admin))["items"] == []
    refused = await world.call("POST", f"{path}/post", admin, expect=409)
    assert refused["code"] == "PUBLIC_UPDATE_POSTED"
    refused = await world.call("PATCH", path, admin, expect=409, json={"status": "resolved"})
    assert refused["code"] == "PUBLIC_UPDATE_POSTED"


async def test_what_was_posted_is_edited_and_its_history_kept(world: World) -> None:
    admin = await world.admin()
    incident = await world.declare(admin)
    made = await publish(world, admin, incident)
    update = await post(world, admin, incident, body="The wrong words.")
    path = f"{UPDATES}/{update['id']}"
    await world.call("PATCH", path, admin, json={"body": "Better words."})
    await world.call("PATCH", path, admin, json={"body": "The right words."})
    seen = await world.call("GET", f"/v1/public/incidents/{made['code']}")
    assert seen["updates"][0]["body"] == "The right words."
    assert seen["updates"][0]["edited_at"] is not None
    kept = await world.call("GET", f"{path}/versions", admin)
    assert [(one["number"], one["body"]) for one in kept["items"]] == [
        (1, "The wrong words."),
        (2, "Better words."),
    ]
    await world.call("DELETE", path, admin, expect=204)
    seen = await world.call("GET", f"/v1/public/incidents/{made['code']}")
    assert len(seen["updates"]) == 1
    listed = await world.call("GET", f"{public(incident)}/updates", admin)
    assert listed["items"][0]["withdrawn_at"] is not None
    refused = await world.call("PATCH", path, admin, expect=409, json={"body": "More."})
    assert refused["code"] == "PUBLIC_UPDATE_WITHDRAWN"


async def test_components_that_are_not_there_are_named_by_their_place(world: World) -> None:
    admin = await world.admin()
    component = await a_component(world, admin)
    incident = await world.declare(admin)
    wanted = [*hitting("major_outage", component), {"id": 99, "status": "major_outage"}]
    refused = await publish(world, admin, incident, expect=422, components=wanted)
    assert refused["code"] == "INVALID_COMPONENTS"
    assert [fault["path"] for fault in refused["details"]["errors"]] == ["components[1].id"]
    await world.call("GET", public(incident), admin, expect=404)


async def test_two_who_resolve_at_once_resolve_once(world: World) -> None:
    admin = await world.admin()
    incident = await world.declare(admin)
    await publish(world, admin, incident)

    async def say(status: str) -> Any:
        body = {"body": f"It is {status}.", "status": status}
        path = f"{public(incident)}/updates"
        return await world.client.post(path, json=body, headers=admin.headers)

    answers = await asyncio.gather(*(say("identified") for _ in range(4)), say("monitoring"))
    codes = sorted(answer.status_code for answer in answers)
    now = await world.call("GET", public(incident), admin)
    posted = (await world.call("GET", f"{public(incident)}/updates", admin))["total"]
    assert posted == 1 + codes.count(201)
    # Whatever came after “monitoring” could not go back.
    assert now["status"] == "monitoring"
    assert set(codes) <= {201, 400}
    changed = await world.sql(
        "SELECT count(*) FROM public_notices WHERE kind = 'incident_status_changed'"
    )
    assert changed[0][0] in (1, 2)


async def test_a_deleted_incident_leaves_the_page_too(world: World) -> None:
    admin = await world.admin()
    incident = await world.declare(admin)
    made = await publish(world, admin, incident)
    number = incident["id"]
    await world.call("DELETE", f"/v1/incidents/{number}?confirm={number}", admin, expect=204)
    await world.call("GET", f"/v1/public/incidents/{made['code']}", expect=404)
    assert (await world.call("GET", "/v1/public/status"))["incidents"] == []
