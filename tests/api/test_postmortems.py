"""Postmortems: begun from what happened, reviewed, published, amended, read by those who may."""

from typing import Any

import pytest

from tests.api.answers import send
from tests.postmortems import begun, path_of, publicly_known, resolved
from tests.world import Person, World


async def people(world: World) -> tuple[Person, Person]:
    ana = await world.person("ana@example.org", full_name="Ana")
    return ana, await world.person("ben@example.org", full_name="Ben")


async def refused(
    world: World, method: str, path: str, who: Person, *, expect: int, **kw: Any
) -> dict[str, Any]:
    answer: dict[str, Any] = await world.call(method, path, who, expect=expect, **kw)
    return answer


async def test_it_begins_with_what_is_known(world: World) -> None:
    ana, _ = await people(world)
    incident_id = await resolved(world, ana)
    made = await begun(world, ana, incident_id)
    assert made["status"] == "draft"
    assert made["title"] == "Disk full"
    assert made["owner"] == {"user_id": ana.id, "name": "Ana"}
    assert made["summary"].startswith("database had an incident of high severity, from ")
    assert "(1 h" in made["summary"]  # and as long as this test took
    assert [one["description"].split()[1] for one in made["timeline"]][1:] == [
        "acknowledged",
        "resolved",
    ]
    assert made["allowed"] == ["submit", "publish"]
    assert made["incident"]["id"] == incident_id
    again = await refused(world, "POST", path_of(incident_id), ana, expect=409, json={})
    assert again["code"] == "POSTMORTEM_EXISTS"
    assert again["details"]["postmortem_id"] == made["id"]
    story = await world.call("GET", f"/v1/incidents/{incident_id}/timeline", ana)
    assert story["items"][-1]["description"] == "Ana began the postmortem."


async def test_an_incident_without_one_says_so(world: World) -> None:
    ana, _ = await people(world)
    incident = await world.declare(ana)
    answer = await refused(world, "GET", path_of(incident["id"]), ana, expect=404)
    assert answer["code"] == "POSTMORTEM_NOT_FOUND"
    for method, body in {"GET": {}, "POST": {"json": {}}}.items():
        answer = await refused(world, method, path_of(4711), ana, expect=404, **body)
        assert answer["code"] == "INCIDENT_NOT_FOUND"


async def test_the_whole_course(world: World) -> None:
    ana, ben = await people(world)
    incident_id = await resolved(world, ana)
    await begun(world, ana, incident_id, reviewers=[ben.id])
    path = path_of(incident_id)
    sent = await world.call("POST", f"{path}/submit", ana)
    assert (sent["status"], sent["allowed"]) == ("in_review", ["return", "publish"])
    assert sent["reviewers"][0]["name"] == "Ben"
    assert sent["reviewers"][0]["asked_at"]
    told = await world.sql("SELECT kind, user_id FROM notifications WHERE kind <> 'page'")
    assert [tuple(row) for row in told] == [("postmortem_review", ben.id)]
    approved = await world.call("POST", f"{path}/approve", ben)
    assert approved["reviewers"][0]["approved_at"]
    back = await world.call("POST", f"{path}/return", ben)
    assert (back["status"], back["allowed"]) == ("draft", ["submit", "publish"])
    again = await world.call("POST", f"{path}/submit", ana)
    assert again["reviewers"][0]["approved_at"] is None  # it may be another text now
    done = await world.call("POST", f"{path}/publish", ana, json={})
    assert (done["status"], done["is_public"], done["allowed"]) == ("published", False, [])
    assert done["published_by"] == ana.id


@pytest.mark.parametrize(
    ("done", "asked", "allowed"),
    [
        (["submit", "publish"], "submit", []),
        (["publish"], "return", []),
        ([], "approve", ["submit", "publish"]),
        (["publish"], "approve", []),
    ],
)
async def test_what_is_not_in_the_table_is_refused(
    world: World, done: list[str], asked: str, allowed: list[str]
) -> None:
    ana, _ = await people(world)
    path = path_of(await resolved(world, ana))
    await world.call("POST", path, ana, expect=201, json={})
    for one in done:
        await world.call("POST", f"{path}/{one}", ana, json={})
    answer = await refused(world, "POST", f"{path}/{asked}", ana, expect=400)
    assert answer["code"] == "INVALID_STATUS_TRANSITION"
    assert answer["details"]["allowed"] == allowed


async def test_the_same_again_is_no_error_and_tells_nobody_twice(world: World) -> None:
    ana, ben = await people(world)
    path = path_of(await resolved(world, ana))
    await world.call("POST", path, ana, expect=201, json={"reviewers": [ben.id]})
    first = await world.call("POST", f"{path}/submit", ana)
    second = await world.call("POST", f"{path}/submit", ana)
    assert first == second
    rows = await world.sql("SELECT count(*) FROM notifications WHERE kind = 'postmortem_review'")
    assert rows[0][0] == 1


async def test_nobody_overwrites_what_they_have_not_seen(world: World) -> None:
    ana, ben = await people(world)
    path = path_of(await resolved(world, ana))
    await world.call("POST", path, ana, expect=201, json={})
    seen = await send(world, "GET", path, ana)
    etag = {"If-Match": seen.headers["ETag"]}
    await world.call("PATCH", path, ana, json={"impact": "Orders were lost."}, headers=etag)
    answer = await refused(
        world, "PATCH", path, ben, expect=412, json={"impact": "None."}, headers=etag
    )
    assert answer["details"]["current"]["impact"] == "Orders were lost."
    fresh = {"If-Match": answer["details"]["etag"]}
    await world.call("PATCH", path, ben, json={"impact": "None."}, headers=fresh)
    assert (await world.call("GET", path, ana))["impact"] == "None."
    same = await send(world, "GET", path, ana)
    unchanged = await send(world, "GET", path, ana, headers={"If-None-Match": same.headers["ETag"]})
    assert unchanged.status_code == 304


async def test_a_timeline_is_picked_and_keeps_what_it_copied(world: World) -> None:
    ana, _ = await people(world)
    incident_id = await resolved(world, ana)
    made = await begun(world, ana, incident_id)
    first, *_, last = made["timeline"]
    early = {"happened_at": "2020-01-01T00:00:00Z", "description": "The import began."}
    wanted = [
        {"event_id": last["event_id"], "note": "Too late."},
        {"event_id": first["event_id"]},
        early,
    ]
    path = path_of(incident_id)
    shown = await world.call("PATCH", path, ana, json={"timeline": wanted})
    assert [one["event_id"] for one in shown["timeline"]] == [
        None,
        first["event_id"],
        last["event_id"],
    ]
    assert shown["timeline"][2]["note"] == "Too late."
    # What was read can be sent again.
    again = await world.call("PATCH", path, ana, json={"timeline": shown["timeline"]})
    assert again["timeline"] == shown["timeline"]
    assert again["revision"] == shown["revision"]
    await world.sql("UPDATE timeline_events SET description = 'Rewritten.'")
    kept = await world.call("PATCH", path, ana, json={"timeline": [*shown["timeline"], early]})
    assert kept["timeline"][-1]["description"] == last["description"]


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"timeline": [{"event_id": 4711}]}, "timeline[0].event_id"),
        ({"owner_id": 4711}, "owner_id"),
        ({"reviewers": [4711]}, "reviewers[0]"),
        ({"timeline": [{"note": "x"}]}, "timeline[0]"),
        ({"summary": None}, "summary"),
    ],
)
async def test_a_fault_names_its_place(world: World, body: dict[str, Any], where: str) -> None:
    ana, _ = await people(world)
    other = await world.declare(ana, title="Another")
    path = path_of(await resolved(world, ana))
    await world.call("POST", path, ana, expect=201, json={})
    answer = await refused(world, "PATCH", path, ana, expect=422, json=body)
    assert answer["details"]["errors"][0]["path"] == where
    story = await world.call("GET", f"/v1/incidents/{other['id']}/timeline", ana)
    foreign = {"timeline": [{"event_id": story["items"][0]["id"]}]}
    answer = await refused(world, "PATCH", path, ana, expect=422, json=foreign)
    assert answer["code"] == "INVALID_POSTMORTEM"


async def test_what_is_published_is_amended_with_its_history(world: World) -> None:
    ana, ben = await people(world)
    path = path_of(await resolved(world, ana))
    await world.call("POST", path, ana, expect=201, json={"lessons": "Look."})
    await world.call("PATCH", path, ana, json={"lessons": "Look twice."})
    assert (await world.call("GET", f"{path}/versions", ana))["items"] == []
    await world.call("POST", f"{path}/publish", ana, json={})
    amended = await world.call("PATCH", path, ben, json={"lessons": "Look thrice."})
    assert amended["status"] == "published"
    assert amended["amended_at"]
    untouched = await world.call("PATCH", path, ben, json={"lessons": "Look thrice."})
    assert untouched["revision"] == amended["revision"]
    kept = (await world.call("GET", f"{path}/versions", ana))["items"]
    assert [one["document"]["lessons"] for one in kept] == ["Look thrice.", "Look twice."]
    assert [one["edited_by"] for one in kept] == [ben.id, ana.id]


async def test_nobody_publishes_an_empty_one(world: World) -> None:
    ana, _ = await people(world)
    path = path_of(await resolved(world, ana))
    await world.call("POST", path, ana, expect=201, json={"summary": ""})
    answer = await refused(world, "POST", f"{path}/publish", ana, expect=400, json={})
    assert answer["code"] == "POSTMORTEM_EMPTY"


async def test_the_public_reads_by_choice_and_subscribers_are_told_once(world: World) -> None:
    ana, _ = await people(world)
    incident_id = await resolved(world, ana)
    path = path_of(incident_id)
    await begun(world, ana, incident_id)
    public = {"is_public": True}
    answer = await refused(world, "POST", f"{path}/publish", ana, expect=409, json=public)
    assert answer["code"] == "INCIDENT_NOT_PUBLIC"
    assert (await world.call("GET", path, ana))["status"] == "draft"
    code = await publicly_known(world, incident_id)
    answer = await refused(world, "POST", f"{path}/publish", ana, expect=422, json=public)
    assert answer["code"] == "PUBLIC_TEXT_MISSING"
    text = {"public_summary": "It was slow.", "public_body": "We mended it."}
    await world.call("PATCH", path, ana, json=text)
    done = await world.call("POST", f"{path}/publish", ana, json=public)
    assert done["is_public"]
    assert done["public_at"] == done["subscribers_told_at"]
    door = f"/v1/public/incidents/{code}/postmortem"
    read = await world.call("GET", door)
    assert read["title"] == "Checkout is slow"
    assert (read["summary"], read["body"]) == ("It was slow.", "We mended it.")
    assert set(read) == {"code", "title", "summary", "body", "published_at", "amended_at"}
    await world.call("PATCH", path, ana, json={"lessons": "Nobody else's business."})
    assert (await world.call("GET", door))["amended_at"] is None
    await world.call("PATCH", path, ana, json={"public_body": "It is mended."})
    read = await world.call("GET", door)
    assert (read["body"], bool(read["amended_at"])) == ("It is mended.", True)
    told = await world.call("POST", f"{path}/withdraw", ana)
    assert (told["is_public"], told["status"]) == (False, "published")
    gone = await world.call("GET", door, expect=404)
    assert gone["code"] == "POSTMORTEM_NOT_FOUND"
    await world.call("POST", f"{path}/publish", ana, json=public)
    notices = await world.sql("SELECT kind FROM public_notices")
    assert [row[0] for row in notices] == ["postmortem_published"]
    events = await world.sql(
        "SELECT data->>'public_id', data->>'body' FROM events"
        " WHERE type = 'postmortem.published' AND audience = 'public'"
    )
    assert [tuple(row) for row in events] == [(code, "It was slow.")] * 2


async def test_subscribers_are_not_told_where_nobody_wants_it(world: World) -> None:
    ana, _ = await people(world)
    incident_id = await resolved(world, ana)
    await publicly_known(world, incident_id)
    await begun(world, ana, incident_id, public_summary="It was slow.")
    body = {"is_public": True, "tell_subscribers": False}
    done = await world.call("POST", f"{path_of(incident_id)}/publish", ana, json=body)
    assert done["subscribers_told_at"] is None
    assert await world.sql("SELECT * FROM public_notices") == []


async def test_what_the_public_reads_is_not_emptied_under_its_eyes(world: World) -> None:
    ana, _ = await people(world)
    incident_id = await resolved(world, ana)
    path = path_of(incident_id)
    await publicly_known(world, incident_id)
    await begun(world, ana, incident_id, public_summary="It was slow.")
    await world.call("POST", f"{path}/publish", ana, json={"is_public": True})
    answer = await refused(world, "PATCH", path, ana, expect=422, json={"public_summary": ""})
    assert answer["details"]["errors"][0]["path"] == "public_summary"
    await world.call("POST", f"{path}/withdraw", ana)
    await world.call("PATCH", path, ana, json={"public_summary": ""})


async def test_lists_are_narrowed_and_searched(world: World) -> None:
    ana, ben = await people(world)
    first = await resolved(world, ana, service="database")
    second = await resolved(world, ana, title="Mail is late", service="mail", severity="low")
    await begun(world, ana, first, root_cause="A forgotten cronjob.", reviewers=[ben.id])
    await begun(world, ben, second)
    await world.call("POST", f"{path_of(second)}/publish", ben, json={})

    async def found(query: str) -> list[int]:
        listed = await world.call("GET", f"/v1/postmortems?{query}", ana)
        return [one["incident"]["id"] for one in listed["items"]]

    assert await found("") == [second, first]
    assert await found("status=draft") == [first]
    assert await found(f"owner_id={ben.id}") == [second]
    assert await found(f"reviewer_id={ben.id}") == [first]
    assert await found("service=mail") == [second]
    assert await found("severity=low") == [second]
    assert await found("search=cronjob") == [first]
    assert await found("search=nobody") == []
    assert await found("is_public=true") == []
    assert await found("sort_by=updated_at&sort_order=asc") == [first, second]
    page = await world.call("GET", "/v1/postmortems?per_page=1", ana)
    follows = await world.call(
        "GET", f"/v1/postmortems?per_page=1&cursor={page['next_cursor']}", ana
    )
    assert [one["incident"]["id"] for one in follows["items"]] == [first]


async def test_what_became_of_a_deleted_incident_is_gone_with_it(world: World) -> None:
    admin = await world.admin()
    incident_id = await resolved(world, admin)
    await begun(world, admin, incident_id)
    await world.call(
        "DELETE", f"/v1/incidents/{incident_id}?confirm={incident_id}", admin, expect=204
    )
    await refused(world, "GET", path_of(incident_id), admin, expect=404)
    assert (await world.call("GET", "/v1/postmortems", admin))["items"] == []


async def test_the_template_is_the_installations_own(world: World) -> None:
    admin = await world.admin()
    ana, _ = await people(world)
    where = "/v1/postmortem-template"
    built_in = await world.call("GET", where, ana)
    assert (built_in["is_custom"], built_in["revision"]) == (False, 0)
    body = {"impact": "Who noticed {{ title }}?", "lessons": "{{ nonsense }}"}
    answer = await refused(world, "PUT", where, admin, expect=422, json=body)
    assert answer["code"] == "INVALID_POSTMORTEM_TEMPLATE"
    assert answer["details"]["errors"][0]["path"] == "lessons"
    del body["lessons"]
    saved = await world.call("PUT", where, admin, json=body)
    assert saved["is_custom"]
    assert saved["sections"]["summary"] == built_in["sections"]["summary"]
    made = await begun(world, ana, await resolved(world, ana))
    assert made["impact"] == "Who noticed Disk full?"
    await world.call("DELETE", where, admin, expect=204)
    assert await world.call("GET", where, ana) == built_in


async def test_the_export_is_the_whole_document(world: World) -> None:
    ana, ben = await people(world)
    incident_id = await resolved(world, ana, title="Disk full\n# and no heading")
    made = await begun(world, ana, incident_id, reviewers=[ben.id], impact="**Many** orders.")
    body = {"title": "Rotate logs", "owner_id": ben.id, "due_on": "2026-12-24", "priority": "high"}
    await world.call(
        "POST", f"/v1/postmortems/{made['id']}/action-items", ana, expect=201, json=body
    )
    answer = await send(world, "GET", f"{path_of(incident_id)}/export", ana)
    assert answer.headers["Content-Type"].startswith("text/markdown")
    lines = answer.text.splitlines()
    assert lines[0] == "# Disk full # and no heading"
    assert "**Many** orders." in lines
    assert [one for one in lines if one.startswith("## ")] == [
        "## Summary",
        "## Impact",
        "## Root cause",
        "## What went well",
        "## What went badly",
        "## What we learned",
        "## Timeline",
        "## Action items",
    ]
    assert "- [ ] Rotate logs (high, Ben, due 2026-12-24)" in lines
    assert any(one.endswith("Ana acknowledged the incident.") for one in lines)
    assert "- To be read by: Ben" in lines
