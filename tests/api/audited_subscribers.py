"""What the audit log tells of subscribers of the status page: that they come and go, not who."""

from tests.api.answers import send
from tests.api.audited_calendars import Tour
from tests.api.auditing import actions_since
from tests.worker.subscribing import notice, public_incident, subscribe, token_of
from tests.world import Person

SUBSCRIBERS = "/v1/subscribers"


async def subscribers(tour: Tour, admin: Person) -> None:
    world = tour.world
    body = {"address": "eva@example.org", "have_agreed": True}
    made = await tour.do(f"POST {SUBSCRIBERS}", admin, "subscriber.created", json=body)
    one, which = f"{SUBSCRIBERS}/{{subscriber_id}}", {"subscriber_id": made["id"]}
    body = {"frequency": "daily"}
    await tour.do(f"PATCH {one}", admin, "subscriber.updated", json=body, **which)
    await tour.do(f"DELETE {one}", admin, "subscriber.deleted", **which)

    sam = await subscribe(world, is_proved=False)
    token = {"token": token_of(world, sam)}
    door = "/v1/public/subscribers/{token}"
    await tour.do(f"POST {door}/confirm", None, "subscriber.updated", **token)
    await tour.do(f"PATCH {door}", None, "subscriber.updated", json=body, **token)
    incident = await public_incident(world)
    await notice(world, incident)
    await world.sql(
        "INSERT INTO subscriber_deliveries (subscriber_id, channel, kind, status, settled_at,"
        " last_error) VALUES (:id, 'email', 'confirmation', 'failed', now(), 'x')",
        id=sam.id,
    )
    [(sent,)] = await world.sql("SELECT max(id) FROM subscriber_deliveries")
    path = "/v1/subscriber-deliveries/{delivery_id}/resend"
    said = "subscriber_delivery.resent"
    await tour.do(f"POST {path}", admin, said, delivery_id=sent)
    await tour.do(f"POST {door}/unsubscribe", None, "subscriber.updated", **token)

    _, newest = await actions_since(world, 0)
    answer = await send(
        world, "POST", "/v1/subscriber-imports", admin, content=b"address\nann@example.org\n"
    )
    assert answer.status_code == 202
    assert (await actions_since(world, newest))[0] == ["subscriber_import.created"]
    tour.seen.add("POST /v1/subscriber-imports")
    told = str(await world.sql("SELECT changes FROM audit_log"))
    assert "eva@example.org" not in told
    assert "sam@example.org" not in told
