"""Files of subscribers are taken in whole, line by line, once, whatever is killed meanwhile."""

import asyncio
import csv
import io
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app.db.session import WriteSession
from app.worker import subscriber_imports as imports_module
from app.worker.subscriber_imports import SubscriberImports
from tests.api.answers import refused, send
from tests.worker.subscribing import component, deliver, keys, loops, sent, subscribe
from tests.world import Person, Scripted, World

PATH = "/v1/subscriber-imports"


def imports(world: World) -> SubscriberImports:
    return SubscriberImports(world.database, keys(world), world.service.objection)


async def upload(world: World, admin: Person, text: str | bytes, query: str = "") -> dict[str, Any]:
    content = text.encode() if isinstance(text, str) else text
    headers = {"content-type": "text/csv"}
    made: dict[str, Any] = await world.call(
        "POST", PATH + query, admin, expect=202, content=content, headers=headers
    )
    return made


async def state_of(world: World, admin: Person, file: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = await world.call("GET", f"{PATH}/{file['id']}", admin)
    return found


async def report_of(world: World, admin: Person, file: dict[str, Any]) -> list[dict[str, str]]:
    answered = await send(world, "GET", f"{PATH}/{file['id']}/report", admin)
    assert answered.status_code == 200
    return list(csv.DictReader(io.StringIO(answered.text)))


async def test_a_file_is_taken_in_and_its_bad_lines_are_reported(world: World) -> None:
    admin = await world.admin()
    await component(world, "Pay")
    await subscribe(world, "known@example.org")
    file = await upload(
        world,
        admin,
        "Email,Frequency,Components\r\n"
        "sam@example.org,,\r\n"
        "eva@example.org,daily,pay\r\n"
        "\r\n"
        "KNOWN@example.org,,\r\n"
        "sam@example.org,,\r\n"
        "no address,,\r\n"
        "ben@example.org,hourly,\r\n"
        "ann@example.org,,Find\r\n"
        ",daily,\r\n",
        "?have_agreed=true&name=customers.csv",
    )
    assert (file["state"], file["lines"], file["taken"]) == ("running", 8, 0)
    await imports(world).round()
    shown = await state_of(world, admin, file)
    counts = {name: shown[name] for name in ("taken", "added", "known", "refused")}
    assert counts == {"taken": 8, "added": 2, "known": 2, "refused": 4}
    assert (shown["state"], shown["name"]) == ("finished", "customers.csv")
    rows = await report_of(world, admin, file)
    assert [int(row["line"]) for row in rows] == [7, 8, 9, 10]
    for row, said in zip(rows, ("mail address", "hourly", "“Find”", "no address"), strict=True):
        assert said in row["reason"]
    found = await world.call("GET", "/v1/subscribers?search=eva", admin)
    [eva] = found["items"]
    assert (eva["state"], eva["frequency"], eva["origin"]) == ("active", "daily", "import")
    assert [scope["name"] for scope in eva["scopes"]] == ["Pay"]


async def test_without_their_consent_each_is_sent_a_link_first(world: World) -> None:
    admin = await world.admin()
    await upload(world, admin, "address\nsam@example.org\neva@example.org\n")
    await imports(world).round()
    way = Scripted()
    await deliver(loops(world, [way]))
    assert sorted(way.recipients) == ["eva@example.org", "sam@example.org"]
    assert {row[:2] for row in await sent(world)} == {("confirmation", "sent")}
    assert await world.sql("SELECT DISTINCT state FROM subscribers") == [("pending",)]


def _die_after(one: SubscriberImports) -> Callable[[WriteSession], Awaitable[None]]:
    async def work(session: WriteSession) -> None:
        assert await one._take_in(session)
        raise RuntimeError

    return work


async def test_a_file_goes_on_where_it_was_and_replicas_share_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports_module, "LINES_AT_ONCE", 7)
    admin = await world.admin()
    lines = "".join(f"s{number}@example.org\n" for number in range(100))
    file = await upload(world, admin, "address\n" + lines, "?have_agreed=true")
    first = imports(world)
    await world.database.write(first._take_in)
    # The next one dies in its second batch.
    with pytest.raises(RuntimeError):
        await world.database.write(_die_after(first))
    shown = await state_of(world, admin, file)
    assert (shown["taken"], shown["added"]) == (7, 7)
    await asyncio.gather(*(imports(world).round() for _ in range(3)))
    await imports(world).round()
    shown = await state_of(world, admin, file)
    assert (shown["state"], shown["taken"], shown["added"]) == ("finished", 100, 100)
    assert await world.sql("SELECT count(*) FROM subscribers") == [(100,)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "first line"),
        (b"name\nsam\n", "“address”"),
        (b"address,colour\nsam@example.org,red\n", "“colour”"),
        (b"address\n", "names no subscriber"),
        (b"address\n\xff\xfe\xe9\n", "UTF-8"),
        (b'address\n"sam@exa\x00mple.org\n', "NUL"),
    ],
)
async def test_what_is_no_such_file_is_refused_at_once(
    world: World, content: bytes, said: str
) -> None:
    admin = await world.admin()
    answered = await send(world, "POST", PATH, admin, content=content)
    assert answered.status_code == 422, answered.text
    assert answered.json()["code"] == "SUBSCRIBER_FILE_UNREADABLE"
    assert said in answered.json()["message"]
    assert await world.sql("SELECT count(*) FROM subscriber_imports") == [(0,)]


async def test_a_file_is_bounded_in_bytes_and_in_lines(world: World) -> None:
    admin = await world.admin()
    answered = await send(world, "POST", PATH, admin, content=b"a" * 5_000_001)
    assert answered.status_code == 413
    many = b"address\n" + b"a@b.example\n" * 50_001
    details = await refused(
        world, "POST", PATH, admin, 422, "SUBSCRIBER_FILE_UNREADABLE", content=many
    )
    assert details["field"] == "file"
    big = b"address,components\n" + (b"a@b.example," + b"x" * 100 + b"\n") * 15_000
    await upload(world, admin, big)  # larger than other bodies may be


async def test_a_file_that_is_sent_again_with_its_key_is_taken_in_once(world: World) -> None:
    admin = await world.admin()
    headers, content = {"Idempotency-Key": "customers"}, b"address\nsam@example.org\n"
    answered = [
        await send(world, "POST", PATH, admin, content=content, headers=headers) for _ in range(2)
    ]
    assert [one.status_code for one in answered] == [202, 200]
    assert answered[0].json() == answered[1].json()
    assert await world.sql("SELECT count(*) FROM subscriber_imports") == [(1,)]
