"""No change goes by the audit log: every route that changes something, once with success."""

from typing import Any

from app.domain.user import Role
from tests.api.answers import send
from tests.api.audited_calendars import calendars
from tests.api.audited_duty import being_on_call
from tests.api.audited_learned import learned
from tests.api.audited_public import status_page
from tests.api.audited_subscribers import subscribers
from tests.api.auditing import actions_since
from tests.api.catalogue import in_hours
from tests.api.rotas import weekly
from tests.permissions import TABLE
from tests.reaching import code_of
from tests.worker.hooks import deliveries, tell, webhooks
from tests.world import Person, World

# They change nothing that a person is asked about later, and why.
UNAUDITED = {
    "POST /v1/escalation/simulate": "what it does is undone",
    "POST /v1/schedules/preview": "changes nothing",
    "POST /v1/message-templates/preview": "changes nothing",
    "POST /v1/auth/login/test-token": "changes nothing",
    "POST /v1/stream/tickets": "changes nothing",
    "POST /v1/auth/refresh": "the same login goes on; one that ends for it is told",
    "POST /v1/auth/signup": "sends a mail, which is listed; following its link is told",
    "POST /v1/auth/password-recovery": "likewise",
    "POST /v1/users/{user_id}/contact-methods/{contact_method_id}/send-code": "sends a code",
    "POST /v1/users/{user_id}/contact-methods/{contact_method_id}/test": "sends a test",
    "POST /v1/webhook-subscriptions/{subscription_id}/test": "sends a test, which is listed",
    "POST /v1/calendars/{calendar_id}/refresh": "what the calendar says is listed with it",
    "POST /v1/receipts/{token}": "a provider says what became of a message",
    "POST /v1/webhooks/alerts": "a tool; each alert is kept",
    "POST /v1/webhooks/alertmanager": "likewise",
    "POST /v1/webhooks/elastic": "likewise",
    "POST /v1/public/subscribers": "sends a link, which is listed; following it is told",
    "POST /v1/ping/{token}": "a monitor; its last pings are kept",
    "POST /v1/ping/{token}/{signal}": "likewise",
}


class Tour:
    """Calls that change something; each must leave the entries that it says."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.newest = 0
        self.seen: set[str] = set()

    async def skip(self) -> None:
        """What was set up meanwhile is not looked at."""
        _, self.newest = await actions_since(self.world, self.newest)

    async def do(
        self, route: str, who: Person | None, said: str, *, json: Any = None, **keys: Any
    ) -> Any:
        await self.skip()
        method, path = route.split()
        path, _, query = path.partition("?")
        self.seen.add(f"{method} {path}")
        there = path.format(**keys) + (f"?{query.format(**keys)}" if query else "")
        kw = {} if json is None else {"json": json}
        answer = await send(self.world, method, there, who, **kw)
        assert answer.is_success, f"{route}: {answer.text}"
        actions, self.newest = await actions_since(self.world, self.newest)
        assert sorted(actions) == sorted(said.split()), route  # of one transaction: in any order
        return answer.json() if answer.content else None


async def test_every_change_is_told(world: World) -> None:
    tour = Tour(world)
    admin = await world.admin()
    await _people(tour, admin)
    await _reach(tour, admin)
    await _set_up(tour, admin)
    await _catalogue(tour, admin)
    await _schedules(tour, admin)
    await being_on_call(tour, admin)
    await learned(tour, admin)
    await calendars(tour, admin)
    await subscribers(tour, admin)
    await _hooks(tour, admin)
    await status_page(tour, admin)
    await _incidents(tour, admin)
    await _logins(tour, admin)
    changing = {" ".join(route.split()) for route in TABLE if not route.startswith("GET ")}
    assert changing - tour.seen - set(UNAUDITED) == set(), "say here what the log tells of these"
    assert set(UNAUDITED) - changing == set()


async def _people(tour: Tour, admin: Person) -> None:
    body = {"email": "nia@example.org", "password": "passphrase"}
    said = "user.created contact_method.created notification_rule.created"
    nia = (await tour.do("POST /v1/users", admin, said, json=body))["id"]
    user = "/v1/users/{user_id}"
    await tour.do(f"PATCH {user}", admin, "user.updated", json={"role": "viewer"}, user_id=nia)
    await tour.do(f"DELETE {user}", admin, "user.updated user.deleted", user_id=nia)
    await tour.do("PATCH /v1/users/me", admin, "user.updated", json={"full_name": "Ada"})


async def _reach(tour: Tour, admin: Person) -> None:
    mine = {"user_id": "me"}
    base = "/v1/users/{user_id}/contact-methods"
    body = {"channel": "email", "address": "three@example.org"}
    made = await tour.do(f"POST {base}", admin, "contact_method.created", json=body, **mine)
    mine["contact_method_id"] = made["id"]
    one = f"{base}/{{contact_method_id}}"
    await tour.do(f"PATCH {one}", admin, "contact_method.updated", json={"label": "x"}, **mine)
    code = {"code": await code_of(tour.world, made)}
    said = "contact_method.verified notification_rule.created"
    await tour.do(f"POST {one}/verify", admin, said, json=code, **mine)
    rules = [{"contact_method_id": made["id"], "delay_minutes": 9}]
    said = "notification_rule.updated notification_rule.deleted"
    path = "PUT /v1/users/{user_id}/notification-rules"
    await tour.do(path, admin, said, json={"items": rules}, **mine)
    said = "notification_rule.deleted contact_method.deleted"
    await tour.do(f"DELETE {one}", admin, said, **mine)
    usual = (await tour.world.call("GET", "/v1/users/me/contact-methods", admin))["items"][0]
    rules = [{"contact_method_id": usual["id"], "delay_minutes": 0}]
    await tour.do(path, admin, "notification_rule.created", json={"items": rules}, **mine)
    off = {"channels": {"sms": False}}
    said = "notification_preference.updated"
    await tour.do("PUT /v1/notification-preferences", admin, said, json=off)
    path = "PUT /v1/notification-preferences/{user_id}"
    await tour.do(path, admin, said, json={"channels": {"sms": True}}, user_id=admin.id)


async def _set_up(tour: Tour, admin: Person) -> None:
    wording = "/v1/message-templates/{kind}/{channel}"
    which = {"kind": "page", "channel": "email"}
    body: dict[str, Any] = {"subject": "{{ title }}", "body": "{{ title }}"}
    await tour.do(f"PUT {wording}", admin, "message_template.created", json=body, **which)
    await tour.do(f"DELETE {wording}", admin, "message_template.deleted", **which)

    body = {"key": "region", "label": "Region", "type": "text"}
    await tour.do("POST /v1/custom-fields", admin, "custom_field.created", json=body)
    body, field = {"label": "Place"}, "/v1/custom-fields/{key}"
    await tour.do(f"PATCH {field}", admin, "custom_field.updated", json=body, key="region")
    await tour.do(f"DELETE {field}", admin, "custom_field.archived", key="region")

    steps = [{"delay_minutes": 0, "actions": [{"type": "notify", "target": "admins"}]}]
    body, policies = {"name": "P", "steps": steps}, "/v1/escalation/policies"
    key = (await tour.do(f"POST {policies}", admin, "policy.created", json=body))["id"]
    one = f"{policies}/{{policy_id}}"
    body = {"description": "x"}
    await tour.do(f"PATCH {one}", admin, "policy.updated", json=body, policy_id=key)
    await tour.do(f"DELETE {one}", admin, "policy.deleted", policy_id=key)

    body, tools = {"name": "T", "kind": "alerts"}, "/v1/integrations"
    said = "integration.created integration_key.created"
    made = await tour.do(f"POST {tools}", admin, said, json=body)
    one, key = f"{tools}/{{integration_id}}", made["id"]
    body = {"service": "x"}
    await tour.do(f"PATCH {one}", admin, "integration.updated", json=body, integration_id=key)
    await tour.do(f"POST {one}/keys", admin, "integration_key.created", integration_id=key)
    old = made["keys"][0]["id"]
    path = f"DELETE {one}/keys/{{key_id}}"
    await tour.do(path, admin, "integration_key.revoked", integration_id=key, key_id=old)

    body, jobs = {"name": "Job", "interval_seconds": 60}, "/v1/heartbeats"
    key = (await tour.do(f"POST {jobs}", admin, "heartbeat.created", json=body))["id"]
    one, said = f"{jobs}/{{heartbeat_id}}", "heartbeat.updated"
    await tour.do(f"PATCH {one}", admin, said, json={"is_active": False}, heartbeat_id=key)
    await tour.do(f"POST {one}/rotate-url", admin, said, heartbeat_id=key)
    await tour.do(f"DELETE {one}", admin, "heartbeat.deleted", heartbeat_id=key)

    body, keys = {"name": "bot", "scopes": ["read"]}, "/v1/api-keys"
    key = (await tour.do(f"POST {keys}", admin, "api_key.created", json=body))["id"]
    await tour.do(f"DELETE {keys}/{{api_key_id}}", admin, "api_key.revoked", api_key_id=key)


async def _catalogue(tour: Tour, admin: Person) -> None:
    changed = "team.members_changed"
    body: dict[str, Any] = {"name": "Payments"}
    team = {"team_id": (await tour.do("POST /v1/teams", admin, "team.created", json=body))["id"]}
    one = "/v1/teams/{team_id}"
    await tour.do(f"PATCH {one}", admin, "team.updated", json={"description": "x"}, **team)
    who = {"user_id": admin.id}
    await tour.do(f"POST {one}/members", admin, changed, json=who, **team)
    await tour.do(f"DELETE {one}/members/{{user_id}}", admin, changed, **who, **team)
    await tour.do(f"PUT {one}/members", admin, changed, json={"members": [who]}, **team)
    await tour.do(f"DELETE {one}", admin, "team.deleted", **team)

    made = await tour.do("POST /v1/services", admin, "service.created", json={"name": "checkout"})
    one, which = "/v1/services/{service_id}", {"service_id": made["id"]}
    await tour.do(f"PATCH {one}", admin, "service.updated", json={"description": "x"}, **which)
    windows, said = "/v1/maintenance-windows", "maintenance_window.created"
    one_window = f"{windows}/{{window_id}}"
    body = {"title": "x", "ends_at": await in_hours(tour.world, 2), "service_ids": [made["id"]]}
    window = {"window_id": (await tour.do(f"POST {windows}", admin, said, json=body))["id"]}
    said = "maintenance_window.updated"
    await tour.do(f"PATCH {one_window}", admin, said, json={"title": "y"}, **window)
    await tour.do(f"POST {one_window}/end", admin, "maintenance_window.ended", **window)
    body["starts_at"] = await in_hours(tour.world, 1)
    said = "maintenance_window.created"
    window = {"window_id": (await tour.do(f"POST {windows}", admin, said, json=body))["id"]}
    await tour.do(f"DELETE {one_window}", admin, "maintenance_window.cancelled", **window)
    await tour.do(f"DELETE {one}", admin, "service.deleted", **which)
    body, said = {"name": "Disk", "title": "Disk full", "severity": "high"}, "incident_template"
    made = await tour.do("POST /v1/incident-templates", admin, f"{said}.created", json=body)
    one, which = "/v1/incident-templates/{template_id}", {"template_id": made["id"]}
    await tour.do(f"PATCH {one}", admin, f"{said}.updated", json={"tags": ["x"]}, **which)
    await tour.do(f"DELETE {one}", admin, f"{said}.deleted", **which)


async def _schedules(tour: Tour, admin: Person) -> None:
    layers = [weekly(admin.id)]
    body: dict[str, Any] = {"name": "Databases", "time_zone": "UTC", "layers": layers}
    made = await tour.do("POST /v1/schedules", admin, "schedule.created", json=body)
    one, which = "/v1/schedules/{schedule_id}", {"schedule_id": made["id"]}
    await tour.do(f"PATCH {one}", admin, "schedule.updated", json={"name": "Storage"}, **which)
    body = {"user_id": admin.id, "ends_at": await in_hours(tour.world, 2)}
    path, said = f"{one}/overrides", "schedule_override.created"
    over = await tour.do(f"POST {path}", admin, said, json=body, **which)
    path, said = f"{path}/{{override_id}}", "schedule_override.removed"
    await tour.do(f"DELETE {path}", admin, said, override_id=over["id"], **which)
    body = {"layers": layers, "ends_at": await in_hours(tour.world, 2)}
    path, said = f"{one}/temporary-schedules", "temporary_schedule.created"
    over = await tour.do(f"POST {path}", admin, said, json=body, **which)
    path, said = f"{path}/{{temporary_id}}", "temporary_schedule.removed"
    await tour.do(f"DELETE {path}", admin, said, temporary_id=over["id"], **which)
    await tour.do(f"DELETE {one}", admin, "schedule.deleted", **which)


async def _hooks(tour: Tour, admin: Person) -> None:
    hooks: str = "/v1/webhook-subscriptions"
    body: dict[str, Any] = {"name": "Desk", "url": "https://desk.example.org/hooks/a-secret-path"}
    said = "webhook.created webhook.updated"  # its secret is locked with its number
    key = (await tour.do(f"POST {hooks}", admin, said, json=body))["id"]
    one, which = f"{hooks}/{{subscription_id}}", {"subscription_id": key}
    body = {"name": "Table"}
    await tour.do(f"PATCH {one}", admin, "webhook.updated", json=body, **which)
    await tour.do(f"POST {one}/rotate-secret", admin, "webhook.updated", json={}, **which)
    await tell(tour.world)
    await webhooks(tour.world).read_feed()
    for is_active in (False, True):  # what waits is cancelled
        body = {"is_active": is_active}
        await tour.do(f"PATCH {one}", admin, "webhook.updated", json=body, **which)
    [sent] = await deliveries(tour.world, admin, {"id": key})
    replay = f"{one}/deliveries/{{delivery_id}}/replay"
    await tour.do(f"POST {replay}", admin, "webhook.replayed", delivery_id=sent["id"], **which)
    await tour.do(f"DELETE {one}", admin, "webhook.deleted", **which)
    told = str(await tour.world.sql("SELECT changes FROM audit_log"))
    assert "a-secret-path" not in told
    assert "https://desk.example.org/…" in told


async def _incidents(tour: Tour, admin: Person) -> None:
    world = tour.world
    policy = await world.policy(admin, [(0, "admins")], conditions={"service": "elsewhere"})
    body = {"title": "a", "severity": "low", "service": "b"}
    number = (await tour.do("POST /v1/incidents", admin, "incident.created", json=body))["id"]
    one, which = "/v1/incidents/{incident_id}", {"incident_id": number}
    await tour.do(f"PATCH {one}", admin, "incident.updated", json={"title": "c"}, **which)
    await tour.do(f"POST {one}/snooze", admin, "incident.snoozed", json={"minutes": 5}, **which)
    await tour.do(f"DELETE {one}/snooze", admin, "incident.snooze_ended", **which)
    await tour.do(f"POST {one}/escalate", admin, "incident.escalated", **which)
    run = await tour.do(
        f"POST {one}/escalations",
        admin,
        "escalation.created",
        json={"policy_id": policy["id"]},
        **which,
    )
    path = f"POST {one}/escalations/{{escalation_id}}/cancel"
    await tour.do(path, admin, "escalation.cancelled", escalation_id=run["id"], **which)
    ana = await world.person("helper@example.org")
    said = "assignment.created incident.updated"
    await tour.do(f"POST {one}/assignments", admin, said, json={"user_id": ana.id}, **which)
    said = "assignment.deleted incident.updated"
    await tour.do(f"DELETE {one}/assignments/{{user_id}}", admin, said, user_id=ana.id, **which)
    said = "comment.created"
    await tour.do(f"POST {one}/comments", admin, said, json={"content": "Hm."}, **which)
    said = "incident.acknowledged assignment.created incident.updated"
    await tour.do(f"POST {one}/acknowledge", admin, said, **which)
    await tour.do(f"POST {one}/resolve", admin, "incident.resolved", **which)
    await tour.do(f"POST {one}/reopen", admin, "incident.reopened", **which)
    said = "incident.resolved incident.deleted"
    await tour.do(f"DELETE {one}?confirm={{incident_id}}", admin, said, **which)
    await tour.do(f"POST {one}/restore", admin, "incident.restored", **which)

    said = "incident.created fire_drill.created"
    await tour.do("POST /v1/fire-drills", admin, said, json={"message": "A drill."})

    await world.pass_time()
    paging = await world.declare(admin, service="elsewhere")
    await world.pass_time()
    page = (await world.notifications(admin, paging["id"]))[0]
    await world.sql(
        "UPDATE notifications SET status = 'failed', reason = 'x', ready_at = NULL WHERE id = :id",
        id=page["id"],
    )
    path = "POST /v1/notifications/{notification_id}/resend"
    await tour.do(path, admin, "notification.resent", notification_id=page["id"])

    tool = await world.integration_key(admin)
    alert = await world.alert(tool)
    path = "POST /v1/alerts/{alert_id}/replay"
    await tour.do(path, admin, "alert.replayed", alert_id=alert["id"])


async def _logins(tour: Tour, admin: Person) -> None:
    world = tour.world
    body: dict[str, Any] = {"username": admin.email, "password": "password"}
    await tour.do("POST /v1/auth/login/access-token", None, "session.created", json=body)
    other = await world.login(admin.id)
    path, said = "/v1/auth/sessions/{session_id}", "session.ended"
    await tour.do(f"DELETE {path}", admin, said, session_id=other.session_id)
    body = {"current_password": "password", "new_password": "passphrase"}
    said = "user.password_changed session.created"
    await tour.do("PUT /v1/users/me/password", admin, said, json=body)
    again = await world.login(admin.id)
    await tour.do("POST /v1/auth/logout", again, "session.ended")

    body = {"email": "new@example.org", "password": "passphrase"}
    await world.call("POST", "/v1/auth/signup", expect=202, json=body)
    body = {"token": await _link(world, "signup")}
    said = "user.created contact_method.created notification_rule.created"
    await tour.do("POST /v1/auth/signup/confirm", None, said, json=body)
    recovery = {"email": admin.email}
    await world.call("POST", "/v1/auth/password-recovery", expect=202, json=recovery)
    body = {"token": await _link(world, "recovery"), "new_password": "a passphrase"}
    await tour.do("POST /v1/auth/reset-password", None, "user.password_changed", json=body)
    rows = await world.sql("SELECT actor_kind, user_id FROM audit_log ORDER BY id DESC LIMIT 1")
    assert tuple(rows[0]) == ("user", admin.id)  # whoever read the mail


async def _link(world: World, purpose: str) -> str:
    """The token of the last mail of this kind."""
    rows = await world.sql(
        "SELECT (facts ->> 'challenge_id')::bigint FROM notifications WHERE kind = :kind"
        " ORDER BY id DESC LIMIT 1",
        kind=purpose,
    )
    return world.service.signer.link(purpose, rows[0][0])


async def test_a_token_that_came_twice_ends_its_login_in_the_log_too(world: World) -> None:
    ana = await world.person(role=Role.VIEWER)
    credentials = {"username": ana.email, "password": "password"}
    pair = await world.call("POST", "/v1/auth/login/access-token", json=credentials)
    body = {"refresh_token": pair["refresh_token"]}
    await world.call("POST", "/v1/auth/refresh", json=body)
    _, newest = await actions_since(world, 0)
    await world.call("POST", "/v1/auth/refresh", json=body, expect=401)
    assert (await actions_since(world, newest))[0] == ["session.ended"]
