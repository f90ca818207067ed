"""Policies at the console: written in a form that grows or as JSON, and tried while they are."""

import json
from typing import Any

from app.domain.user import Role
from app.web import condition_form, policy_form
from tests.web.consoles import Console, console
from tests.web.html import Page, read
from tests.world import World

PLACE = "/policies"
FORM: dict[str, Any] = {
    "name": "Databases",
    "is_active": ["false", "true"],
    "repeat": "2",
    "final_delay_minutes": "7.5",
    "conditions[0].key": "severity",
    "conditions[0].op": "in",
    "conditions[0].words[]": ["critical", "high"],
    "conditions[1].key": "labels",
    "conditions[1].name": "team",
    "conditions[1].op": "contains",
    "conditions[1].value": "db",
    "steps[0].delay_minutes": "0",
    "steps[0].actions[0].type": "notify",
    "steps[0].actions[0].target": "admins",
    "steps[0].actions[0].channels[]": ["email", "sms"],
    "steps[1].delay_minutes": "5",
    "steps[1].actions[0].type": "comment",
    "steps[1].actions[0].text": "Still nobody",
}


async def admins(world: World) -> Console:
    return await console(world, await world.admin())


def names(page: Page) -> set[str]:
    fields = [one for tag in ("input", "select", "textarea") for one in page.all(tag)]
    return {str(one["name"]) for one in fields if one.get("name")}


def wrong(page: Page) -> list[str | None]:
    return [one["name"] for _, one in page.elements if "aria-invalid" in one]


async def test_a_policy_is_written_in_the_form(world: World) -> None:
    ada = await admins(world)
    assert "No policy yet" in (await ada.page(PLACE)).text
    place = await ada.do(f"{PLACE}/new", FORM)
    [made] = (await world.call("GET", "/v1/escalation/policies", ada.person))["items"]
    assert place == f"{PLACE}/{made['id']}"
    assert made["conditions"] == {
        "severity": ["critical", "high"],
        "labels.team": {"contains": "db"},
    }
    assert made["steps"] == [
        {
            "delay_minutes": 0,
            "actions": [{"type": "notify", "target": "admins", "channels": ["email", "sms"]}],
        },
        {"delay_minutes": 5, "actions": [{"type": "comment", "text": "Still nobody"}]},
    ]
    assert (made["repeat"], made["final_delay_minutes"], made["is_active"]) == (2, 7.5, True)
    shown = await ada.page(place)
    assert {name for name in FORM if "[]" not in name} <= names(shown)
    assert "Severity is any of critical, high" in (await ada.page(PLACE)).text


async def test_every_kind_of_target_survives_the_form(world: World) -> None:
    ada = await admins(world)
    people = [ada.person.id, (await world.person()).id]
    body = {"name": "Night crew"}
    team = (await world.call("POST", "/v1/teams", ada.person, expect=201, json=body))["id"]
    wanted = [
        "on_call",
        {"user": people[0]},
        {"team": team},
        {"team": team, "pick": "round_robin"},
        {"round_robin": people},
    ]
    made = await world.policy(ada.person, [(1.5, target) for target in wanted])
    place = f"{PLACE}/{made['id']}"
    page = await ada.page(f"{place}?view=json")
    assert "_json" in names(page)
    draft = policy_form.draft_of(made)
    sent: dict[str, Any] = {"name": "Primary", "repeat": "0", "final_delay_minutes": "5"}
    for number, step in enumerate(draft["steps"]):
        at = f"steps[{number}]"
        sent |= {f"{at}.delay_minutes": step["delay_minutes"], f"{at}.actions[0].type": "notify"}
        sent[f"{at}.actions[0].target"] = step["actions"][0]["target"]
        for turn, person in enumerate(step["actions"][0]["people"]):
            sent[f"{at}.actions[0].people[{turn}]"] = person
    await ada.do(place, {**sent, "is_active": "true"})
    found = await world.call("GET", f"/v1/escalation{place}", ada.person)
    assert [step["actions"][0]["target"] for step in found["steps"]] == wanted


async def test_buttons_add_move_and_remove_without_saving(world: World) -> None:
    ada = await admins(world)
    for do, there, gone in (
        ("add steps", "steps[2].delay_minutes", "steps[3].delay_minutes"),
        ("add steps[1].actions", "steps[1].actions[1].target", "steps[2].delay_minutes"),
        ("add conditions", "conditions[2].key", "conditions[3].key"),
        ("remove steps[0]", "steps[0].actions[0].text", "steps[1].delay_minutes"),
        ("up steps[1]", "steps[0].actions[0].text", "steps[2].delay_minutes"),
        ("remove conditions[1]", "conditions[0].key", "conditions[1].key"),
        ("remove steps[99]", "steps[1].delay_minutes", "steps[2].delay_minutes"),
        ("add __class__", "steps[1].delay_minutes", "steps[2].delay_minutes"),
    ):
        answer = await ada.post(f"{PLACE}/new", {**FORM, "_do": do})
        assert answer.status_code == 200, do
        found = names(read(answer.text))
        assert there in found, do
        assert gone not in found, do
        assert "Databases" in answer.text
    assert (await world.call("GET", "/v1/escalation/policies", ada.person))["total"] == 0


async def test_faults_stand_at_their_fields(world: World) -> None:
    ada = await admins(world)
    for change, field in (
        ({"name": ""}, "name"),
        ({"repeat": "99"}, "repeat"),
        ({"steps[1].delay_minutes": "-1"}, "steps[1].delay_minutes"),
        ({"steps[0].actions[0].target": "user:999999"}, "steps[0].actions[0].target"),
        ({"steps[0].actions[0].target": "round_robin"}, "steps[0].actions[0].target"),
        ({"steps[1].actions[0].text": ""}, "steps[1].actions[0].text"),
        ({"conditions[1].op": "matches", "conditions[1].value": "("}, "conditions[1].value"),
    ):
        answer = await ada.post(f"{PLACE}/new", {**FORM, **change})
        assert answer.status_code == 422, change
        page = read(answer.text)
        assert wrong(page) == [field], change
        assert "team" in [one.get("value") for one in page.all("input")]  # nothing is lost
    await ada.do(f"{PLACE}/new", FORM)
    assert wrong(read((await ada.post(f"{PLACE}/new", FORM)).text)) == ["name"]


async def test_the_json_is_shown_edited_and_its_faults_told(world: World) -> None:
    ada = await admins(world)
    answer = await ada.post(f"{PLACE}/new", {**FORM, "_do": "json"})
    page = read(answer.text)
    text = next(one for one in page.texts if '"steps"' in one)
    document = json.loads(text)
    assert document["repeat"] == 2
    document["conditions"] = {"any": [{"service": ["a"]}, {"not": {"tags": ["b"]}}]}
    for broken, told in (
        ("{", "line 1"),
        ("[]", "A policy is an object"),
        ("[" * 100_000, "nests too deep"),
        (json.dumps({**document, "steps": []}), "steps"),
    ):
        refused = await ada.post(f"{PLACE}/new", {"_json": broken})
        assert refused.status_code == 422
        assert told in read(refused.text).text
    place = await ada.do(f"{PLACE}/new", {"_json": json.dumps(document)})
    found = await world.call("GET", f"/v1/escalation{place}", ada.person)
    assert found["conditions"] == document["conditions"]
    # Conditions that no rows can say stay as they are in the form.
    assert "nested" in names(await ada.page(place))
    form = {**FORM, "nested": json.dumps(document["conditions"]), "name": "Renamed"}
    await ada.do(place, {key: one for key, one in form.items() if "conditions" not in key})
    again = await world.call("GET", f"/v1/escalation{place}", ada.person)
    assert (again["name"], again["conditions"]) == ("Renamed", document["conditions"])
    back = await ada.post(place, {"_json": json.dumps(again | {"conditions": {}}), "_do": "form"})
    assert "nested" not in names(read(back.text))


async def test_who_would_be_paged_stands_beside_the_form(world: World) -> None:
    ada = await admins(world)
    form = {**FORM, "steps[0].actions[0].target": f"user:{ada.person.id}"}
    told = read((await ada.post(f"{PLACE}/simulate", form)).text).text
    assert "admin@example.org is paged by mail at once" in told
    assert "not for such an incident" not in told
    missed = {**form, "_if_severity": "low"}
    assert "not for such an incident" in (await ada.post(f"{PLACE}/simulate", missed)).text
    broken = {**form, "steps[0].delay_minutes": "soon"}
    told = read((await ada.post(f"{PLACE}/simulate", broken)).text).text
    assert "steps[0].delay_minutes" in told
    # Without scripts a button asks, and the whole page answers.
    answer = await ada.post(f"{PLACE}/new", {**form, "_do": "rehearse"})
    assert "is paged by mail at once" in read(answer.text).text
    assert (await world.call("GET", "/v1/escalation/policies", ada.person))["total"] == 0


async def test_somebody_else_s_change_is_not_written_over(world: World) -> None:
    ada = await admins(world)
    place = await ada.do(f"{PLACE}/new", FORM)
    [revision] = [
        one["value"]
        for one in (await ada.page(place)).all("input")
        if one.get("name") == "_revision"
    ]
    url = f"/v1/escalation{place}"
    await world.call("PATCH", url, ada.person, json={"repeat": 5})
    late = await ada.post(place, {**FORM, "_revision": revision})
    assert late.status_code == 422
    assert "Somebody changed the policy" in late.text
    # …nor by pressing the button again.
    again = read(late.text)
    assert [one["value"] for one in again.all("input") if one.get("name") == "_revision"] == [
        revision
    ]
    assert (await world.call("GET", url, ada.person))["repeat"] == 5


async def test_others_read_it_and_may_try_it(world: World) -> None:
    ada = await admins(world)
    place = await ada.do(f"{PLACE}/new", FORM)
    vera = await console(world, await world.person("vera@example.org", Role.VIEWER))
    page = await vera.page(place)
    assert "Label team contains db" in page.text
    assert "pages the admins by email, sms" in page.text
    tried = await vera.post(f"{PLACE}/simulate", {"_policy_id": place.rsplit("/", 1)[1]})
    assert "admin@example.org is paged" in read(tried.text).text
    assert (await vera.post(place, FORM)).status_code == 403
    assert (await vera.post(f"{place}/delete")).status_code == 403
    await vera.get(f"{PLACE}/new", expect=403)
    await vera.get(f"{PLACE}/999999", expect=404)
    assert await ada.do(f"{place}/delete") == PLACE


def test_rows_say_what_conditions_say_or_nothing() -> None:
    for conditions in (
        {},
        {"severity": ["high"]},
        {"title": {"matches": "^disk, full"}, "tags": {"not_in": ["a", "b"]}},
        {"labels.team": {"exists": False}, "custom_fields.region": ["eu"]},
        {"time": {"between": ["22:00", "06:00"], "zone": "Europe/Berlin", "days": ["mon"]}},
        {"title": {"contains": "disk"}, "all": [{"title": {"matches": "full$"}}]},
    ):
        rows = condition_form.rows_of(conditions)
        assert rows is not None
        assert condition_form.conditions_of(rows)[0] == conditions
        assert len(condition_form.told(conditions)) == len(rows)
    deeper: list[dict[str, Any]] = [{"any": [{}]}, {"not": {}}, {"service": ["a,b"]}]
    for nested in [*deeper, {"all": [{"any": []}]}]:
        assert condition_form.rows_of(nested) is None


async def test_what_no_form_of_ours_sends_breaks_nothing(world: World) -> None:
    ada = await admins(world)
    for odd in (
        {"steps": "x"},
        {"steps[0]": "x"},
        {"steps[0].actions[0]": "x"},
        {"steps[0].actions[0].target": "user:x:y"},
        {"steps[0].actions[0].type": "dance"},
        {"conditions[0].key": "time"},
        {"conditions[0].key": "labels", "conditions[0].words": "x"},
        {"name.first": "x", "_if_at": "noon", "_if_answered": "²"},
        {"_json": '{"name": 1, "steps": "x", "conditions": {"time": 5}}'},
        {"_json": '{"name": "A", "steps": [{"delay_minutes": 0, "actions": []}]}'},
        {"_json": '{"conditions": []}'},
        {"_json": "{"},
    ):
        for sent in (odd, {**FORM, **odd}):
            for do in ({}, {"_do": "look"}, {"_do": "json"}, {"_do": "form"}, {"_do": "rehearse"}):
                answer = await ada.post(f"{PLACE}/new", {**sent, **do})
                assert answer.status_code in (200, 303, 422), (odd, do)
            assert (await ada.post(f"{PLACE}/simulate", sent)).status_code == 200, odd
