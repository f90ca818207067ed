"""The body of an alert: handed out as it came, whatever it holds, and only to who may see it."""

import json

import httpx
import pytest

from app.domain.user import Role
from app.services.integration import RAW_KEPT
from tests.api.answers import refused, send
from tests.world import Person, World

HOSTILE = b'<script>alert("page")</script>\r\nSet-Cookie: a=b\r\n\r\n\x1b[2J{"token": "s3cret"}'


@pytest.fixture
async def ana(world: World) -> Person:
    return await world.person()


@pytest.fixture
async def alert_id(world: World) -> int:
    """An alert of which no body is kept."""
    key = await world.integration_key(await world.admin())
    alert_id: int = (await world.alert(key))["id"]
    await keep(world, alert_id, None, None)
    return alert_id


async def keep(world: World, alert_id: int, body: bytes | None, size: int | None) -> None:
    """Let this be what is kept of the body that an alert came in."""
    await world.sql(
        "UPDATE alerts SET raw_body = :body, body_size = :size, body_of = NULL WHERE id = :id",
        body=body,
        size=size,
        id=alert_id,
    )


async def saved(world: World, who: Person, alert_id: int) -> httpx.Response:
    answer = await send(world, "GET", f"/v1/alerts/{alert_id}/body", who)
    assert answer.status_code == 200, answer.text
    return answer


@pytest.mark.parametrize(
    ("body", "kind", "name"),
    [
        (b'{"title": "Disk full"}', "text/plain; charset=utf-8", "txt"),
        (HOSTILE, "text/plain; charset=utf-8", "txt"),
        ("Größe: 98 %".encode(), "text/plain; charset=utf-8", "txt"),
        (b"", "text/plain; charset=utf-8", "txt"),
        (b"\xff\xfe\x00binary", "application/octet-stream", "bin"),
        (b"text\x00with an end in it", "application/octet-stream", "bin"),
        ("Größe".encode("latin-1"), "application/octet-stream", "bin"),
        ("half a character: é".encode()[:-1], "application/octet-stream", "bin"),
    ],
)
async def test_a_body_is_saved_as_it_came_and_shown_by_nobody(
    world: World, ana: Person, alert_id: int, body: bytes, kind: str, name: str
) -> None:
    await keep(world, alert_id, body, len(body))
    answer = await saved(world, ana, alert_id)
    assert answer.content == body
    assert answer.headers["content-type"] == kind
    assert answer.headers["content-disposition"] == (
        f'attachment; filename="alert-{alert_id}.{name}"'
    )
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-body-cut"] == "false"
    assert "set-cookie" not in answer.headers


async def test_a_viewer_does_not_see_what_may_hold_secrets(
    world: World, ana: Person, alert_id: int
) -> None:
    await keep(world, alert_id, HOSTILE, len(HOSTILE))
    viewer = await world.person("cy@example.org", Role.VIEWER)
    path = f"/v1/alerts/{alert_id}"
    await refused(world, "GET", f"{path}/body", viewer, 403, "FORBIDDEN")
    await refused(world, "POST", f"{path}/replay", viewer, 403, "FORBIDDEN")
    for shown in (path, "/v1/alerts"):
        assert "s3cret" not in json.dumps(await world.call("GET", shown, viewer))
    assert (await world.call("GET", path, viewer))["has_body"] is True


async def test_of_a_huge_body_the_beginning_is_kept_and_says_that_it_is_cut(
    world: World, ana: Person, alert_id: int
) -> None:
    whole = ("é" * RAW_KEPT).encode()
    kept = whole[: RAW_KEPT - 1]  # the cut goes through a character
    await keep(world, alert_id, kept, len(whole))
    answer = await saved(world, ana, alert_id)
    assert answer.content == kept
    assert answer.headers["x-body-cut"] == "true"
    assert answer.headers["content-type"].startswith("text/plain")
    told = await world.call("GET", f"/v1/alerts/{alert_id}", ana)
    assert (told["has_body"], told["body_size"]) == (True, len(whole))


@pytest.mark.parametrize(("length", "cut"), [(RAW_KEPT - 1, "false"), (RAW_KEPT, "true")])
async def test_a_body_whose_size_was_never_noted_may_have_been_cut_where_all_are(
    world: World, ana: Person, alert_id: int, length: int, cut: str
) -> None:
    await keep(world, alert_id, b"x" * length, None)
    assert (await saved(world, ana, alert_id)).headers["x-body-cut"] == cut


async def test_what_came_in_one_request_has_one_body(world: World, ana: Person) -> None:
    admin = await world.admin("root@example.org")
    key = await world.integration_key(admin, name="Many")
    body = b'[{"title": "a"},\n {"title": "b"}]'
    headers = {"X-API-Key": key}
    answer = await world.call("POST", "/v1/webhooks/alerts", headers=headers, content=body)
    first, second = (one["id"] for one in answer["alerts"])
    [[count]] = await world.sql("SELECT count(*) FROM alerts WHERE raw_body IS NOT NULL")
    assert count == 1
    for number in (first, second):
        assert (await saved(world, ana, number)).content == body
        told = await world.call("GET", f"/v1/alerts/{number}", ana)
        assert (told["has_body"], told["body_size"]) == (True, len(body))
    await world.sql("UPDATE alerts SET raw_body = NULL")  # forgotten for one, forgotten for both
    for number in (first, second):
        told = await world.call("GET", f"/v1/alerts/{number}", ana)
        assert (told["has_body"], told["body_size"]) == (False, len(body))
        path = f"/v1/alerts/{number}/body"
        await refused(world, "GET", path, ana, 404, "BODY_NOT_KEPT")


async def test_a_body_that_was_forgotten_is_missed_in_words(
    world: World, ana: Person, alert_id: int
) -> None:
    answer = await send(world, "GET", f"/v1/alerts/{alert_id}/body", ana)
    assert answer.json()["code"] == "BODY_NOT_KEPT"
    assert f"alert {alert_id} " in answer.json()["message"]
