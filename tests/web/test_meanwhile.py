"""Forms that edit: what somebody else has changed meanwhile is not written over."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from app.web.forms import FormFault
from app.web.meanwhile import CHANGED, require_next, require_same
from tests.web.consoles import Console, console
from tests.web.html import read
from tests.world import World

Form = Mapping[str, Any]
Made = Callable[[World, Console], Awaitable[tuple[str, Form, Form]]]


async def service(world: World, ada: Console) -> tuple[str, Form, Form]:
    place = await ada.do("/services/new", {"name": "checkout"})
    return f"{place}/edit", {"name": "shop"}, {"name": "checkout", "description": "Mine"}


async def team(world: World, ada: Console) -> tuple[str, Form, Form]:
    place = await ada.do("/teams/new", {"name": "Payments"})
    return f"{place}/edit", {"name": "Money"}, {"name": "Payments", "description": "Mine"}


async def person(world: World, ada: Console) -> tuple[str, Form, Form]:
    bob = await world.person()
    form = {"email": bob.email, "role": "responder", "time_zone": "UTC"}
    return f"/users/{bob.id}/edit", {**form, "role": "viewer"}, {**form, "full_name": "Mine"}


async def integration(world: World, ada: Console) -> tuple[str, Form, Form]:
    form = {"name": "Kibana", "kind": "alerts", "service": "shop", "default_severity": "high"}
    await ada.post("/integrations/new", form)
    [[key]] = await world.sql("SELECT max(id) FROM integrations")
    form = {"name": "Kibana", "default_severity": "high", "is_active": "true"}
    return f"/integrations/{key}/edit", {**form, "name": "Elastic"}, {**form, "service": "mine"}


async def webhook(world: World, ada: Console) -> tuple[str, Form, Form]:
    form = {"name": "Desk", "url": "https://desk.example.org/hook", "is_active": "true"}
    await ada.post("/webhooks/new", form)
    [[key]] = await world.sql("SELECT max(id) FROM webhook_subscriptions")
    return f"/webhooks/{key}/edit", {**form, "name": "Bot"}, {**form, "services": "mine"}


async def heartbeat(world: World, ada: Console) -> tuple[str, Form, Form]:
    form = {"name": "Backup", "interval_seconds": "3600", "grace_seconds": "600"}
    form |= {"severity": "high", "is_active": "true"}
    await ada.post("/heartbeats/new", form)
    [[key]] = await world.sql("SELECT max(id) FROM heartbeat_monitors")
    return f"/heartbeats/{key}/edit", {**form, "name": "Copy"}, {**form, "service": "mine"}


async def field(world: World, ada: Console) -> tuple[str, Form, Form]:
    form = {"label": "Impact", "position": "3"}
    await ada.do("/settings/fields/new", {**form, "key": "impact", "type": "text"})
    edit = "/settings/fields/impact/edit"
    return edit, {**form, "label": "Harm"}, {**form, "description": "Mine"}


async def component(world: World, ada: Console) -> tuple[str, Form, Form]:
    await ada.do("/status-page/components/new", {"name": "Checkout"})
    [[key]] = await world.sql("SELECT max(id) FROM status_components")
    edit = f"/status-page/components/{key}/edit"
    return edit, {"name": "Shop"}, {"name": "Checkout", "description": "Mine"}


async def group(world: World, ada: Console) -> tuple[str, Form, Form]:
    await ada.do("/status-page/groups/new", {"name": "Shop"})
    [[key]] = await world.sql("SELECT max(id) FROM component_groups")
    edit = f"/status-page/groups/{key}/edit"
    return edit, {"name": "Store"}, {"name": "Shop", "description": "Mine"}


async def public_page(world: World, ada: Console) -> tuple[str, Form, Form]:
    form = {"name": "Shop", "time_zone": "UTC"}
    return "/status-page/edit", form, {**form, "description": "Mine"}


async def window(world: World, ada: Console) -> tuple[str, Form, Form]:
    key = (await ada.do("/services/new", {"name": "checkout"})).rsplit("/", 1)[1]
    begins = (await world.clock.now()) + timedelta(days=1)
    form = {"title": "Disks", "starts_at": f"{begins:%Y-%m-%d}T10:00", "service_ids[]": [key]}
    form |= {"ends_at": f"{begins:%Y-%m-%d}T12:00"}
    place = await ada.do("/maintenance-windows/new", form)
    return place, {**form, "title": "New disks"}, {**form, "description": "Mine"}


async def maintenance(world: World, ada: Console) -> tuple[str, Form, Form]:
    begins = (await world.clock.now()) + timedelta(days=1)
    form = {"title": "Disks", "scheduled_for": f"{begins:%Y-%m-%d}T10:00"}
    form |= {"scheduled_until": f"{begins:%Y-%m-%d}T12:00"}
    place = await ada.do("/status-page/maintenances/new", {**form, "body": "New disks"})
    return f"{place}/edit", {**form, "title": "New disks"}, {**form, "title": "Mine"}


ALL: list[Made] = [service, team, person, integration, webhook, heartbeat, field, component]
ALL += [group, public_page, window, maintenance]


def revisions(html: str) -> list[str | None]:
    return [one["value"] for one in read(html).all("input") if one.get("name") == "_revision"]


@pytest.mark.parametrize("made", ALL, ids=lambda made: made.__name__)
async def test_what_changed_meanwhile_is_not_written_over(world: World, made: Made) -> None:
    ada = await console(world, await world.admin())
    edit, theirs, mine = await made(world, ada)
    [shown] = revisions(await ada.get(edit))
    await ada.do(edit, {**theirs, "_revision": shown})
    late = await ada.post(edit, {**mine, "_revision": shown})
    assert late.status_code == 422
    assert CHANGED in read(late.text).text
    # …nor by pressing the button again; and what was typed is still there.
    assert revisions(late.text) == [shown]
    assert (await ada.post(edit, {**mine, "_revision": shown})).status_code == 422
    assert "Mine" in late.text or "mine" in late.text
    [now] = revisions(await ada.get(edit))
    assert now != shown
    await ada.do(edit, {**mine, "_revision": now})


class Row:
    revision = 7


@pytest.mark.parametrize("seen", ["5", "8", "x", "９", "-1"])
def test_only_the_next_revision_follows(seen: str) -> None:
    with pytest.raises(FormFault):
        require_next({"_revision": seen}, Row())


def test_who_says_nothing_of_revisions_is_believed() -> None:
    require_next({}, Row())
    require_same({"_revision": ""}, Row())
    require_next({"_revision": "6"}, Row())
    require_next({"_revision": "7"}, Row())  # nothing was changed by it
    require_same({"_revision": "7"}, Row())
