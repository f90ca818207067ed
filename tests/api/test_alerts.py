"""Every alert that was taken in says what became of it, for as long as anybody may ask."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from app.domain.integration import AlertOutcome
from app.domain.user import Role
from app.services.alert import summary
from tests.api.answers import faulty, refused
from tests.world import Person, World

DEFAULTS = {"title": "Disk full", "service": "database", "dedup_key": "disk"}


@pytest.fixture
async def admin(world: World) -> Person:
    return await world.admin()


@pytest.fixture
async def key(world: World, admin: Person) -> str:
    return await world.integration_key(admin)


async def seen(world: World, who: Person, alert_id: int) -> dict[str, Any]:
    found: dict[str, Any] = await world.call("GET", f"/v1/alerts/{alert_id}", who)
    return found


async def listed(world: World, who: Person, query: str = "") -> list[int]:
    answer = await world.call("GET", f"/v1/alerts?{query}", who)
    return [one["id"] for one in answer["items"]]


# --- What became of it, in words ------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "incident_id", "reason", "sentence"),
    [
        ("opened", 12, None, "Opened incident #12."),
        ("joined", 9, None, "Joined incident #9."),
        ("resolved", 9, None, "Resolved incident #9."),
        ("ignored", None, None, "Ignored: nothing was open that it could resolve."),
        ("ignored", 9, None, "Ignored: an alert just before it had resolved incident #9."),
        ("unreadable", 4, "No title.", "Could not be read: No title; incident #4 says so."),
        ("unreadable", None, "No title.", "Could not be read: No title."),
    ],
)
def test_a_sentence_says_what_became_of_it(
    outcome: str, incident_id: int | None, reason: str | None, sentence: str
) -> None:
    assert summary(AlertOutcome(outcome), incident_id, reason) == sentence


def test_every_outcome_has_its_sentence() -> None:
    told = {summary(outcome, 3, "Why.") for outcome in AlertOutcome}
    assert len(told) == len(AlertOutcome)


def test_a_sentence_says_what_else_there_is_to_know() -> None:
    until = datetime(2027, 1, 31, 13, 5, tzinfo=UTC)
    held = summary(AlertOutcome.OPENED, 7, None, held_until=until)
    assert held == "Opened incident #7. Held back in a storm until 13:05 UTC."
    deleted = summary(AlertOutcome.JOINED, 7, None, is_deleted=True)
    assert deleted == "Joined incident #7, which was deleted since."


# --- Looking --------------------------------------------------------------------------------


async def test_an_alert_says_what_became_of_it(world: World, admin: Person, key: str) -> None:
    viewer = await world.person("cy@example.org", Role.VIEWER)
    opened = await world.alert(key)
    joined = await world.alert(key, title="Disk still full")
    resolved = await world.alert(key, status="resolved")
    ignored = await world.alert(key, status="resolved")
    number = opened["incident_id"]
    sentences = {
        opened["id"]: f"Opened incident #{number}.",
        joined["id"]: f"Joined incident #{number}.",
        resolved["id"]: f"Resolved incident #{number}.",
        ignored["id"]: "Ignored: nothing was open that it could resolve.",
    }
    for alert_id, sentence in sentences.items():
        assert (await seen(world, viewer, alert_id))["summary"] == sentence
    one = await seen(world, viewer, joined["id"])
    assert (one["title"], one["dedup_key"]) == ("Disk still full", "disk")
    assert (one["outcome"], one["incident_id"], one["reason"]) == ("joined", number, None)
    assert one["integration"]["name"] == "alerts tool"
    assert one["integration"]["kind"] == "alerts"
    assert (one["replay_of"], one["replays"], one["held_until"]) == (None, [], None)
    assert "raw_body" not in one


async def test_what_came_in_one_request_has_its_id(world: World, admin: Person, key: str) -> None:
    headers = {"X-API-Key": key, "X-Request-ID": "from-the-tool-7"}
    answer = await world.call(
        "POST", "/v1/webhooks/alerts", headers=headers, json=[{"title": "a"}, {"title": "b"}]
    )
    for alert in answer["alerts"]:
        assert (await seen(world, admin, alert["id"]))["request_id"] == "from-the-tool-7"


async def test_an_alert_that_could_not_be_read_names_the_incident_about_it(
    world: World, admin: Person, key: str
) -> None:
    answer = await world.call(
        "POST", "/v1/webhooks/alerts", headers={"X-API-Key": key}, content=b"{no json"
    )
    [receipt] = answer["alerts"]
    told = await seen(world, admin, receipt["id"])
    assert told["summary"].startswith("Could not be read: ")
    assert told["summary"].endswith(f"; incident #{receipt['incident_id']} says so.")
    assert told["reason"] == receipt["reason"]


async def test_of_two_recoveries_at_once_the_second_says_that_it_came_too_late(
    world: World, admin: Person, key: str
) -> None:
    number = (await world.alert(key))["incident_id"]
    over = {**DEFAULTS, "status": "resolved"}
    answer = await world.call(
        "POST", "/v1/webhooks/alerts", headers={"X-API-Key": key}, json=[over, over]
    )
    told = [(await seen(world, admin, one["id"]))["summary"] for one in answer["alerts"]]
    assert told[0] == f"Resolved incident #{number}."
    assert told[1] == f"Ignored: an alert just before it had resolved incident #{number}."


async def test_what_a_storm_holds_back_says_until_when_for_as_long_as_it_does(
    world: World, admin: Person, key: str
) -> None:
    number = (await world.alert(key))["incident_id"]
    joined = (await world.alert(key))["id"]
    until = await world.clock.now() + timedelta(minutes=2)
    await world.sql("UPDATE escalations SET held_until = :until", until=until)
    told = await seen(world, admin, joined)
    clock = until.astimezone(UTC).strftime("%H:%M")
    assert told["summary"] == (
        f"Joined incident #{number}. Held back in a storm until {clock} UTC."
    )
    assert datetime.fromisoformat(told["held_until"]) == until
    world.clock.forward(minutes=2)
    assert (await seen(world, admin, joined))["held_until"] is None


async def test_what_was_answered_or_is_critical_is_not_held_back(
    world: World, admin: Person, key: str
) -> None:
    until = await world.clock.now() + timedelta(minutes=2)
    answered = await world.alert(key)
    worse = await world.alert(key, dedup_key="worse")
    await world.sql("UPDATE escalations SET held_until = :until", until=until)
    for receipt in (answered, worse):
        assert (await seen(world, admin, receipt["id"]))["held_until"] is not None
    await world.act(admin, answered["incident_id"], "acknowledge")
    number = worse["incident_id"]
    await world.sql("UPDATE escalations SET is_critical = true WHERE incident_id = :n", n=number)
    for receipt in (answered, worse):
        assert (await seen(world, admin, receipt["id"]))["held_until"] is None


async def test_an_alert_outlives_the_incident_and_says_that_it_is_gone(
    world: World, admin: Person, key: str
) -> None:
    receipt = await world.alert(key)
    number = receipt["incident_id"]
    path = f"/v1/incidents/{number}"
    await world.call("DELETE", f"{path}?confirm={number}", admin, expect=204)
    told = await seen(world, admin, receipt["id"])
    assert told["summary"] == f"Opened incident #{number}, which was deleted since."
    await refused(world, "GET", f"{path}/alerts", admin, 404, "INCIDENT_NOT_FOUND")


async def test_there_is_no_such_alert(world: World, admin: Person) -> None:
    for path in ("/v1/alerts/999", "/v1/alerts/999/body"):
        await refused(world, "GET", path, admin, 404, "ALERT_NOT_FOUND")
    await refused(world, "POST", "/v1/alerts/999/replay", admin, 404, "ALERT_NOT_FOUND")


# --- Lists ----------------------------------------------------------------------------------


async def test_alerts_are_listed_newest_first_by_pages(
    world: World, admin: Person, key: str
) -> None:
    ids = [(await world.alert(key, dedup_key=f"d{n}"))["id"] for n in range(3)]
    assert await listed(world, admin) == ids[::-1]
    first = await world.call("GET", "/v1/alerts?per_page=2", admin)
    assert ([one["id"] for one in first["items"]], first["total"]) == (ids[:0:-1], 3)
    rest = await listed(world, admin, f"per_page=2&cursor={first['next_cursor']}")
    assert rest == ids[:1]


async def test_a_filter_narrows(world: World, admin: Person, key: str) -> None:
    other = await world.integration_key(admin, name="Other")
    opened = await world.alert(key)
    joined = await world.alert(key)
    world.clock.forward(hours=1)
    elsewhere = await world.alert(other, dedup_key="a & b")
    [[own]] = await world.sql("SELECT id FROM integrations WHERE name = 'Other'")
    a, b, c = opened["id"], joined["id"], elsewhere["id"]
    later = (await world.clock.now() - timedelta(minutes=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    for query, expected in {
        f"integration_id={own}": [c],
        f"incident_id={opened['incident_id']}": [b, a],
        "outcome=joined": [b],
        "outcome=joined&outcome=opened": [c, b, a],
        "outcome=ignored": [],
        "dedup_key=disk": [b, a],
        "dedup_key=a%20%26%20b": [c],
        f"since={later}": [c],
        f"until={later}": [b, a],
        f"since={later}&until={later}": [],
        f"outcome=opened&until={later}": [a],
    }.items():
        assert await listed(world, admin, query) == expected, query
    [[moment]] = await world.sql("SELECT received_at FROM alerts WHERE id = :id", id=c)
    exact = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert await listed(world, admin, f"since={exact}") == [c]
    assert await listed(world, admin, f"until={exact}") == [b, a]


async def test_what_no_filter_can_be_is_refused(world: World, admin: Person) -> None:
    for query, path in {
        "outcome=eaten": "outcome[0]",
        "since=yesterday": "since",
        "until=0": "until",
        "dedup_key=": "dedup_key",
        "dedup_key=%00": "dedup_key",
        f"dedup_key={256 * 'x'}": "dedup_key",
        "integration_id=0": "integration_id",
    }.items():
        assert path in await faulty(world, "GET", f"/v1/alerts?{query}", admin), query


async def test_an_incident_lists_what_led_to_it_and_what_ended_it(
    world: World, admin: Person, key: str
) -> None:
    opened = await world.alert(key)
    await world.alert(key, dedup_key="another problem")
    over = await world.alert(key, status="resolved")
    path = f"/v1/incidents/{opened['incident_id']}/alerts"
    answer = await world.call("GET", path, admin)
    assert [one["id"] for one in answer["items"]] == [over["id"], opened["id"]]
    assert answer["total"] == 2
    await refused(world, "GET", "/v1/incidents/999/alerts", admin, 404, "INCIDENT_NOT_FOUND")


async def test_a_long_list_costs_no_more_statements_than_a_short_one(
    world: World, admin: Person, key: str
) -> None:
    counts = []
    for size in (1, 20):
        for n in range(size):
            await world.alert(key, dedup_key=f"{size} {n}")
        sent: list[str] = []

        def note(_: Any, __: Any, statement: str, *___: Any, sent: list[str] = sent) -> None:
            sent.append(statement)

        engine = world.database.engine.sync_engine
        event.listen(engine, "before_cursor_execute", note)
        await listed(world, admin)
        event.remove(engine, "before_cursor_execute", note)
        counts.append(len(sent))
        bodies = [statement for statement in sent if "alerts.raw_body," in statement]
        assert bodies == []
    assert counts[0] == counts[1]
