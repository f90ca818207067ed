"""What tests of reaching people share: adding an address, and reading the code sent to it."""

from typing import Any

from tests.world import Person, World

# Keys of a real subscription's form: a point on P-256 and sixteen bytes.
PUSH_KEYS = {
    "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcx"
    "aOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    "auth": "BTBZMqHH6r4Tts7J_aSIgg",
}


def methods_of(person: Person) -> str:
    return f"/v1/users/{person.id}/contact-methods"


def rules_of(person: Person) -> str:
    return f"/v1/users/{person.id}/notification-rules"


def push(endpoint: str = "https://push.example.org/send/1", **fields: Any) -> dict[str, Any]:
    subscription = {"endpoint": endpoint, "expirationTime": None, "keys": PUSH_KEYS}
    return {"channel": "push", "subscription": subscription, **fields}


async def add(world: World, person: Person, **body: Any) -> dict[str, Any]:
    """A contact method of this person's own; a mail address unless told otherwise."""
    body = body if "channel" in body else {"channel": "email", "address": "a@b.example", **body}
    made: dict[str, Any] = await world.call(
        "POST", methods_of(person), person, expect=201, json=body
    )
    return made


async def code_of(world: World, method: dict[str, Any]) -> str:
    """The code that was sent last to a contact method, as its message will show it."""
    ((challenge,),) = await world.sql(
        "SELECT facts ->> 'challenge_id' FROM notifications WHERE kind = 'verification'"
        " AND contact_method_id = :id ORDER BY id DESC LIMIT 1",
        id=method["id"],
    )
    return world.service.signer.code("contact_method", int(challenge))


async def add_verified(world: World, person: Person, **body: Any) -> dict[str, Any]:
    """A contact method whose code was entered; a rule for it follows from that."""
    made = await add(world, person, **body)
    path = f"{methods_of(person)}/{made['id']}/verify"
    verified: dict[str, Any] = await world.call(
        "POST", path, person, json={"code": await code_of(world, made)}
    )
    return verified


async def rules(world: World, person: Person) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await world.call("GET", rules_of(person), person))["items"]
    return items
