"""One's own profile at the console: addresses and their codes, rules, keys, logins, password."""

import re
from datetime import UTC, datetime, time, timedelta

from app.domain.incident import Severity, Urgency
from app.domain.notification import Channel, Recipient, Rule
from app.domain.user import Role
from app.web.pages.notification_preferences import course_of
from tests.web.consoles import Console, console
from tests.web.html import read
from tests.world import World

CONTACT, RULES, KEYS = "/profile/contact", "/profile/rules", "/profile/keys"
NOW = datetime(2026, 11, 22, 23, 0, tzinfo=UTC)


async def test_name_and_clock_are_changed_by_their_owner(world: World) -> None:
    ana = await console(world, await world.person(role=Role.VIEWER))
    await ana.do("/profile", {"full_name": "Ana Díaz", "time_zone": "Europe/Berlin", "phone": ""})
    me = await world.call("GET", "/v1/users/me", ana.person)
    assert (me["full_name"], me["time_zone"]) == ("Ana Díaz", "Europe/Berlin")
    answer = await ana.post("/profile", {"full_name": "", "time_zone": "Mars/Base"})
    assert answer.status_code == 422
    fields = read(answer.text).all("input")
    assert [one["name"] for one in fields if "aria-invalid" in one] == ["time_zone"]
    # Nobody makes themselves an admin, whatever they send.
    answer = await ana.post("/profile", {"time_zone": "UTC", "role": "admin"})
    assert answer.status_code == 422


async def test_an_address_is_added_and_proved_by_its_code(world: World) -> None:
    ana = await console(world, await world.person())
    form = {"channel": "email", "where": "home@example.org", "label": "at home"}
    assert await ana.do(CONTACT, form) == CONTACT
    page = await ana.page(CONTACT)
    assert "Waits for its code" in page.text
    [verify] = [one for one in page.addresses if one.endswith("/verify")]
    method = int(verify.split("/")[-2])
    wrong = await ana.post(verify, {"code": "000000"})
    assert wrong.status_code == 422
    fields = read(wrong.text).all("input")
    assert [one["id"] for one in fields if "aria-invalid" in one] == [f"code-{method}"]
    assert (await ana.post(verify, {"code": "x"})).status_code == 422
    await ana.do(f"{CONTACT}/{method}/remove")
    assert "home@example.org" not in (await ana.page(CONTACT)).text


async def test_a_faulty_address_is_told_at_the_field_and_stays_typed(world: World) -> None:
    ana = await console(world, await world.person())
    for channel, where in (("email", "nobody"), ("sms", "123"), ("chat", "nonsense")):
        answer = await ana.post(CONTACT, {"channel": channel, "where": where})
        assert answer.status_code == 422, channel
        fields = read(answer.text).all("input")
        assert [one["name"] for one in fields if "aria-invalid" in one] == ["where"], channel
        assert f'value="{where}"' in answer.text


async def test_what_is_somebody_elses_is_not_there(world: World) -> None:
    ana = await console(world, await world.person())
    bob = await console(world, await world.person("bob@example.org"))
    [[method]] = await world.sql(
        "SELECT max(id) FROM contact_methods WHERE user_id = :id", id=bob.person.id
    )
    for act in ("test", "remove", "send-code"):
        assert (await ana.post(f"{CONTACT}/{method}/{act}")).status_code == 404, act
    assert (await ana.post(f"{CONTACT}/{method}/verify", {"code": "123456"})).status_code == 422


async def test_rules_are_replaced_as_a_whole(world: World) -> None:
    ana = await console(world, await world.person())
    [method] = await methods_of(world, ana)
    form = {
        "items[0].contact_method_id": method,
        "items[0].delay_minutes": "0",
        "items[1].contact_method_id": method,
        "items[1].delay_minutes": "5",
        "items[1].min_severity": "high",
        "items[1].quiet_from": "22:00",
        "items[1].quiet_until": "07:00",
        "items[2].contact_method_id": "",
        "items[2].delay_minutes": "3",
    }
    assert await ana.do(RULES, form) == RULES
    path = f"/v1/users/{ana.person.id}/notification-rules"
    rules = (await world.call("GET", path, ana.person))["items"]
    assert [(one["delay_minutes"], one["min_severity"]) for one in rules] == [
        (0.0, None),
        (5.0, "high"),
    ]
    assert rules[1]["quiet_from"] == "22:00"
    page = await ana.page(RULES)
    values = {one.get("name"): one.get("value") for one in page.all("input")}
    assert values["items[1].delay_minutes"] == "5"
    assert values["items[1].quiet_until"] == "07:00"
    assert "At once" in page.text
    bad = await ana.post(RULES, {**form, "items[0].delay_minutes": "-4"})
    assert bad.status_code == 422
    await ana.do(RULES, {})
    assert "Not paged" in (await ana.page(RULES)).text


async def test_a_way_is_switched_off(world: World) -> None:
    ana = await console(world, await world.person())
    await ana.do(f"{RULES}/channels", {"channels.email": "false", "channels.sms": "true"})
    got = await world.call("GET", "/v1/notification-preferences", ana.person)
    assert got["channels"]["email"] is False
    assert got["channels"]["sms"] is True


def test_the_preview_tells_what_waits_for_quiet_hours_and_for_the_urgency() -> None:
    def rule(number: int, **kw: object) -> Rule:
        given: dict[str, object] = {"delay": timedelta(), "is_verified": True, **kw}
        return Rule(number, Channel.SMS, number, **given)  # type: ignore[arg-type]

    night = rule(1, quiet_from=time(22), quiet_until=time(7), urgency=Urgency.HIGH)
    later = rule(2, delay=timedelta(minutes=5), min_severity=Severity.HIGH, urgency=Urgency.HIGH)
    ana = Recipient(1, "Ana", True, "UTC", [night, later])
    found = {(one.severity, one.urgency): one for one in course_of(ana, now=NOW)}
    critical = found[Severity.CRITICAL, Urgency.HIGH].pages
    assert [page.due_at - NOW for page in critical] == [timedelta(), timedelta(minutes=5)]
    high = found[Severity.HIGH, Urgency.HIGH].pages
    assert [page.contact_method_id for page in high] == [2, 1]
    assert high[1].due_at - NOW == timedelta(hours=8)
    assert found[Severity.LOW, Urgency.LOW].pages == []
    assert (Severity.CRITICAL, Urgency.LOW) not in found


async def test_an_api_key_is_shown_once_and_revoked(world: World) -> None:
    ana = await console(world, await world.person())
    answer = await ana.post(KEYS, {"name": "bot", "scope": "read"})
    [key] = set(re.findall(r"toc_[\w-]{20,}", answer.text))
    headers = {"Authorization": f"Bearer {key}"}
    assert (await world.client.get("/v1/users/me", headers=headers)).status_code == 200
    html = await ana.get(KEYS)
    assert key not in html
    [revoke] = [one for one in read(html).addresses if one.endswith("/revoke")]
    await ana.do(revoke)
    assert (await world.client.get("/v1/users/me", headers=headers)).status_code == 401
    assert (await ana.post(KEYS, {"name": "", "scope": "read"})).status_code == 422
    options = read(html).all("option")
    assert [one["value"] for one in options] == ["read", "respond"]


async def test_a_calendar_address_is_shown_once_and_ended(world: World) -> None:
    ana = await console(world, await world.person())
    answer = await ana.post("/profile/calendar", {"name": "Phone"})
    [path] = set(re.findall(r"/v1/calendar/[\w-]+\.ics", answer.text))
    assert (await world.client.get(path)).status_code == 200
    html = await ana.get("/profile/calendar")
    assert path not in html
    [revoke] = [one for one in read(html).addresses if one.endswith("/revoke")]
    await ana.do(revoke)
    assert (await world.client.get(path)).status_code == 404


async def test_other_logins_are_ended_and_this_one_is_marked(world: World) -> None:
    person = await world.person()
    here, there = await console(world, person), await console(world, person)
    page = await here.page("/profile/sessions")
    assert page.text.count("This browser") == 1
    ends = [one for one in page.addresses if one.endswith("/end")]
    [[other]] = await world.sql("SELECT max(id) FROM login_sessions")
    assert f"/profile/sessions/{other}/end" in ends
    await here.do(f"/profile/sessions/{other}/end")
    await there.get("/profile", expect=303)
    await here.get("/profile")
    assert await here.do("/profile/sessions/end-all") == "/login"
    await here.get("/profile", expect=303)


async def test_a_new_password_needs_the_old_one_and_ends_other_logins(world: World) -> None:
    person = await world.person()
    here, there = await console(world, person), await console(world, person)
    form = {"current_password": "wrong one", "new_password": "a long new one"}
    answer = await here.post("/profile/password", form)
    assert answer.status_code == 422
    assert "a long new one" not in answer.text
    answer = await here.post("/profile/password", {**form, "current_password": "password"})
    assert answer.status_code == 303
    assert "tocsin=" in answer.headers["set-cookie"]
    await there.get("/profile", expect=303)


async def methods_of(world: World, who: Console) -> list[int]:
    path = f"/v1/users/{who.person.id}/contact-methods"
    return [one["id"] for one in (await world.call("GET", path, who.person))["items"]]
