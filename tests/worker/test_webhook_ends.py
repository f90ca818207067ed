"""When Tocsin switches a subscription off, whom it tells, and what is kept of it all."""

import pytest

from app.core.metrics import Metrics
from app.worker.housekeeping import Housekeeping
from app.worker.webhooks import EACH
from tests.channels.servers import answer, http_server
from tests.worker.hooks import (
    FAIL,
    SUBSCRIPTIONS,
    TAKE,
    deliveries,
    fail_on,
    mark_of,
    only,
    opened,
    run,
    shown,
    subscribe,
    tell,
    webhooks,
)
from tests.world import Scripted, World


async def test_an_endpoint_that_is_gone_is_switched_off_at_once_and_admins_are_told(
    world: World,
) -> None:
    admin = await world.admin()
    await world.person("viewer@example.org")
    async with http_server(answer(410)) as server:
        made = await subscribe(world, admin, server.url, name="Ticket desk")
        for number in range(3 * EACH):
            await tell(world, incident_id=number)
        await run(webhooks(world))
        assert len(server.requests) < 3 * EACH
        found = await shown(world, admin, made)
        assert (found["is_active"], found["disabled_reason"]) == (False, "gone")
        assert found["disabled_at"]
        await tell(world)
        await run(webhooks(world))
    ends = [one["status"] for one in await deliveries(world, admin, made)]
    assert len(ends) == 3 * EACH
    assert set(ends) == {"failed", "cancelled"}
    mail = Scripted()
    await world.deliver(mail)
    [letter] = mail.messages
    assert letter.address == admin.email
    assert letter.subject == "Webhook switched off: Ticket desk"
    assert "410 Gone" in letter.text


async def test_an_endpoint_that_takes_nothing_for_five_days_is_switched_off(world: World) -> None:
    admin = await world.admin()
    async with http_server(FAIL) as server:
        made = await fail_on(world, admin, server)
        failing_since = (await shown(world, admin, made))["failing_since"]
        assert failing_since
        world.clock.forward(days=4, hours=23)
        await tell(world)
        await run(webhooks(world))
        found = await shown(world, admin, made)
        assert (found["is_active"], found["failing_since"]) == (True, failing_since)
        world.clock.forward(hours=2)
        await run(webhooks(world))
    found = await shown(world, admin, made)
    assert (found["is_active"], found["disabled_reason"]) == (False, "failing")
    mail = Scripted()
    await world.deliver(mail)
    assert "Nothing has got through for 5 days." in mail.messages[0].text


async def test_one_that_got_through_begins_the_five_days_anew(world: World) -> None:
    admin = await world.admin()
    async with http_server(FAIL, TAKE, FAIL) as server:
        made = await fail_on(world, admin, server)
        world.clock.forward(seconds=6)
        await run(webhooks(world))
        assert (await shown(world, admin, made))["failing_since"] is None
        world.clock.forward(days=5)
        await tell(world)
        await run(webhooks(world))
    assert (await shown(world, admin, made))["is_active"]


async def test_made_active_again_it_is_told_of_what_comes_and_may_replay_what_it_missed(
    world: World,
) -> None:
    admin = await world.admin()
    async with http_server(answer(410), TAKE) as server:
        made = await fail_on(world, admin, server)
        path = f"{SUBSCRIPTIONS}/{made['id']}"
        await tell(world, incident_id=8)
        found = await world.call("PATCH", path, admin, json={"is_active": True})
        assert (found["disabled_at"], found["disabled_reason"]) == (None, None)
        await tell(world, incident_id=9)
        await run(webhooks(world))
        missed = (await deliveries(world, admin, made, "?status=failed"))[0]
        replay = f"{path}/deliveries/{missed['id']}/replay"
        again = await world.call("POST", replay, admin, expect=202)
        assert (again["status"], again["is_resend"]) == ("pending", True)
        await run(webhooks(world))
    told = [opened(one, made["secret"])["data"]["incident_id"] for one in server.requests]
    assert told == [7, 9, 7]
    assert mark_of(server.requests[0]) == mark_of(server.requests[2])
    ends = [one["status"] for one in await deliveries(world, admin, made)]
    assert ends == ["delivered", "delivered"]


async def test_what_came_of_deliveries_is_counted(world: World) -> None:
    admin = await world.admin()
    counted = Metrics()
    text = counted.render().decode()
    assert 'tocsin_webhook_deliveries_total{outcome="delivered"} 0.0' in text
    async with http_server(FAIL, TAKE, answer(410)) as server:
        await subscribe(world, admin, server.url)
        for number, pause in enumerate((0, 6, 0)):
            world.clock.forward(seconds=pause)
            if pause == 0:
                await tell(world, incident_id=number)
            await run(webhooks(world, metrics=counted))
    text = counted.render().decode()
    for outcome in ("pending", "delivered", "failed"):
        assert f'tocsin_webhook_deliveries_total{{outcome="{outcome}"}} 1.0' in text
    assert 'tocsin_webhook_subscriptions_disabled_total{reason="gone"} 1.0' in text
    assert "tocsin_webhook_delivery_seconds_count 1.0" in text


async def test_no_log_line_tells_a_url_or_a_secret(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    admin = await world.admin()
    caplog.set_level("DEBUG")
    async with http_server(answer(410, b"no /hook here")) as server:
        made = await subscribe(world, admin, f"{server.url}/s3cret-path")
        await tell(world)
        await run(webhooks(world))
    lines = [str(record.__dict__) for record in caplog.records]
    assert any("webhook.subscription_disabled" in line for line in lines)
    for secret in ("s3cret-path", made["secret"], made["secret"].removeprefix("whsec_")):
        assert not any(secret in line for line in lines)
    assert "s3cret" not in (await only(world, admin, made))["last_error"]


async def test_deliveries_are_forgotten_a_month_after_they_ended(world: World) -> None:
    admin = await world.admin()
    async with http_server(TAKE, FAIL) as server:
        made = await fail_on(world, admin, server)
        await tell(world, incident_id=8)
        await run(webhooks(world))
    world.clock.forward(days=29, hours=23)
    await Housekeeping(world.database).sweep()
    assert len(await deliveries(world, admin, made)) == 2
    world.clock.forward(hours=2)
    await Housekeeping(world.database).sweep()
    assert [one["status"] for one in await deliveries(world, admin, made)] == ["pending"]
