"""How people are reached, what was sent to them, and how it reads."""

import secrets
from typing import Any

from tests.e2e.steps import Group
from tests.e2e.tour import Tour, check

methods = Group("Being reached")
messages = Group("Messages")

MINE = "/v1/users/me/contact-methods"


@methods
def own_mail(tour: Tour) -> None:
    """Everybody is reached by mail from the start."""
    listed = tour.call("GET", MINE, tour.people["responder"])["items"]
    check([one["channel"] for one in listed] == ["email"], "it is no mail")
    check(listed[0]["verified_at"], "it is not verified")
    tour.ids["mail"] = listed[0]["id"]


@methods
def add(tour: Tour) -> None:
    """Addresses of every channel are added; a secret one is never shown again."""
    responder, admin = tour.people["responder"], tour.people["admin"]
    wrong = {"channel": "sms", "phone": "12"}
    tour.call("POST", MINE, responder, expect=422, code="INVALID_ADDRESS", json=wrong)
    # Another number in every run: codes are counted for each address.
    number = f"+49 155 {secrets.randbelow(10**8):08d}"
    phone = {"channel": "sms", "phone": number, "label": "Phone"}
    made = tour.call("POST", MINE, responder, expect=201, json=phone)
    tour.ids["phone"] = made["id"]
    check(made["verified_at"] is None, "nobody proved it")
    tour.call("POST", MINE, responder, expect=409, json=phone)
    chat = {"channel": "chat", "url": f"ntfys://token-of-mine@ntfy.test/{tour.mark}"}
    tour.call("POST", MINE, responder, expect=403, json=chat)
    made = tour.call("POST", MINE, admin, expect=201, json=chat)
    check("token-of-mine" not in str(made), "the secret is shown")
    tour.call("DELETE", f"{MINE}/{made['id']}", admin, expect=204)


@methods
def label(tour: Tour) -> None:
    """A contact method gets another name, and is told what became of its pages."""
    path = f"{MINE}/{tour.ids['phone']}"
    fields = {"label": "My phone", "wants_updates": True}
    shown = tour.call("PATCH", path, tour.people["responder"], json=fields)
    check({name: shown[name] for name in fields} == fields, "it did not change")


@methods
def wrong_code(tour: Tour) -> None:
    """A code is sent again; a wrong one is refused with the tries that are left."""
    path, responder = f"{MINE}/{tour.ids['phone']}", tour.people["responder"]
    tour.call("POST", f"{path}/send-code", responder, expect=202)
    body = {"code": "000000"}
    tour.call("POST", f"{path}/verify", responder, expect=422, code="INVALID_CODE", json=body)
    tour.call("POST", f"{path}/test", responder, expect=409)


@methods
def right_code(tour: Tour) -> None:
    """The code from the mail verifies another address, and a test goes there."""
    responder = tour.people["responder"]
    address = f"second.{tour.mark}@example.test"
    body = {"channel": "email", "address": address}
    made = tour.call("POST", MINE, responder, expect=201, json=body)
    path = f"{MINE}/{made['id']}"
    code = tour.mail_to(address, r"\b(\d{6})\b")
    shown = tour.call("POST", f"{path}/verify", responder, json={"code": code})
    check(shown["verified_at"], "it is not verified")
    tour.call("POST", f"{path}/test", responder, expect=202)


@methods
def own_test(tour: Tour) -> None:
    """A test message goes where pages go."""
    path = f"{MINE}/{tour.ids['mail']}/test"
    tour.call("POST", path, tour.people["responder"], expect=202)


@methods
def rules(tour: Tour) -> None:
    """Rules are read and replaced as a whole, in their order."""
    path, responder = "/v1/users/me/notification-rules", tour.people["responder"]
    rule: dict[str, Any] = {"contact_method_id": tour.ids["mail"], "delay_minutes": 0}
    late = {**rule, "delay_minutes": 5, "min_severity": "high"}
    shown = tour.call("PUT", path, responder, json={"items": [rule, late]})
    check([one["delay_minutes"] for one in shown["items"]] == [0, 5], "another order")
    check(tour.call("GET", path, responder)["items"] == shown["items"], "it did not stay")
    foreign = {"items": [{**rule, "contact_method_id": 999_999_999}]}
    tour.call("PUT", path, responder, expect=422, code="INVALID_RULES", json=foreign)


@methods
def preferences(tour: Tour) -> None:
    """People switch channels off and on; admins do it for others."""
    own, responder, admin = (
        "/v1/notification-preferences", tour.people["responder"], tour.people["admin"],
    )  # fmt: skip
    shown = tour.call("PUT", own, responder, json={"channels": {"sms": False}})
    check(shown["channels"]["sms"] is False and shown["channels"]["email"], "others changed, too")
    theirs = f"{own}/{responder.id}"
    check(tour.call("GET", theirs, admin)["channels"] == shown["channels"], "they differ")
    tour.call("PUT", theirs, admin, json={"channels": {"sms": True}})
    check(tour.call("GET", own, responder)["channels"]["sms"], "it is still off")
    tour.call("GET", f"{own}/{admin.id}", responder, expect=403)


@methods
def push_key(tour: Tour) -> None:
    """A browser gets the key it subscribes with."""
    told = tour.call("GET", "/v1/push/public-key", tour.people["viewer"])
    check(len(told["application_server_key"]) == 87, "that is no key")


@methods
def drilled(tour: Tour) -> None:
    """A fire drill pages whoever starts it; the answer ends it and is timed."""
    responder, path = tour.people["responder"], "/v1/fire-drills"
    made = tour.call("POST", path, responder, expect=201, json={"message": "Only a drill."})
    number = made["incident_id"]
    tour.later("DELETE", f"/v1/incidents/{number}?confirm={number}")
    tour.until(
        lambda: tour.call("GET", f"{path}/{made['id']}", responder)["pages"], "it pages nobody"
    )
    tour.call("POST", f"/v1/incidents/{number}/acknowledge", responder)
    shown = tour.call("GET", f"{path}/{made['id']}", tour.people["viewer"])
    check((shown["state"], shown["answered_by"]) == ("answered", responder.id), "no answer")
    check(shown["answer_seconds"] >= 0, "the answer has no time")
    listed = tour.call("GET", path, responder)["items"]
    check(made["id"] in {one["id"] for one in listed}, "it is not listed")
    real = tour.call("GET", "/v1/incidents?service=tocsin", responder)["items"]
    check(number not in {one["id"] for one in real}, "it is listed among incidents")


@methods
def remove(tour: Tour) -> None:
    """A contact method is removed, and its code with it."""
    path, responder = f"{MINE}/{tour.ids['phone']}", tour.people["responder"]
    tour.call("DELETE", path, responder, expect=204)
    tour.call("DELETE", path, responder, expect=404, code="CONTACT_METHOD_NOT_FOUND")


@messages
def sent(tour: Tour) -> None:
    """People see what was sent to them and how it went; codes and links are never shown."""
    responder = tour.people["responder"]
    path = f"/v1/notifications?user_id={responder.id}&kind=test"

    def gone() -> Any:
        items = tour.call("GET", path, responder)["items"]
        return items if items and items[0]["status"] not in ("pending", "sending") else None

    newest = tour.until(gone, "no test message left")[0]
    one = tour.call("GET", f"/v1/notifications/{newest['id']}", responder)
    check(one["history"], "it has no history")
    tour.ids["message"] = one["id"]
    tour.call("GET", f"/v1/notifications/{one['id']}", tour.people["viewer"], expect=404)


@messages
def again(tour: Tour) -> None:
    """A message is sent again, under the same mark."""
    path = f"/v1/notifications/{tour.ids['message']}/resend"
    shown = tour.call("POST", path, tour.people["responder"], expect=202)
    check(shown["is_resend"], "it is another message")
    tour.call("POST", path, tour.people["viewer"], expect=404)


@messages
def receipts(tour: Tour) -> None:
    """A receipt without the link we gave to the provider says nothing."""
    tour.call("POST", "/v1/receipts/guess", expect=404, json={"status": "delivered"})


@messages
def built_in(tour: Tour) -> None:
    """Every message has a wording; what an own one may use is told."""
    viewer = tour.people["viewer"]
    listed = tour.call("GET", "/v1/message-templates", viewer)["items"]
    check(any(one["kind"] == "page" and one["channel"] == "sms" for one in listed), "no SMS")
    tour.call("GET", "/v1/message-templates/variables/page", viewer)


@messages
def previewed(tour: Tour) -> None:
    """A wording is previewed before it is saved; one that could do harm is refused."""
    viewer, path = tour.people["viewer"], "/v1/message-templates/preview"
    body = {"kind": "page", "channel": "sms", "body": "{{ severity | upper }}: {{ title }}"}
    check(": " in tour.call("POST", path, viewer, json=body)["text"], "it says something else")
    bomb = {**body, "body": "{% for a in range(9999) %}{{ 'x' * 9999 }}{% endfor %}"}
    tour.call("POST", path, viewer, expect=422, code="INVALID_TEMPLATE", json=bomb)


@messages
def own_wording(tour: Tour) -> None:
    """An admin words a message, and goes back to the built-in one."""
    admin, path = tour.people["admin"], "/v1/message-templates/assigned/chat"
    if tour.call("GET", path, admin)["is_custom"]:
        return  # somebody's own: it is left alone
    tour.later("DELETE", path)
    shown = tour.call("PUT", path, admin, json={"body": "Yours: {{ title }}"})
    check(shown["is_custom"], "it is the built-in one")
    tour.call("DELETE", path, admin, expect=204)
    check(not tour.call("GET", path, admin)["is_custom"], "it is still there")
