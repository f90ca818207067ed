"""What is secret in an address is kept encrypted, for its own place, and never shown again."""

from app.domain.contact_method import secret_place
from tests.api.answers import refused, send
from tests.reaching import PUSH_KEYS, add, methods_of, push
from tests.world import World

MINE = "/v1/users/me/contact-methods"
SLACK = "slack://T0AAAAAAA/B0BBBBBBB/cccccccccccccccccccccccc/#ops"
OWN_HOST = "ntfys://ntfy.example.org/ana-secret-topic"


async def test_of_a_chat_only_a_label_is_ever_shown(world: World) -> None:
    ana = await world.person()
    answer = await send(world, "POST", MINE, ana, json={"channel": "chat", "url": SLACK})
    assert answer.status_code == 201
    listed = await send(world, "GET", MINE, ana)
    for shown in (answer.text, listed.text):
        assert "cccccc" not in shown
        assert "T0AAAAAAA" not in shown
    assert answer.json()["address"].startswith("Slack (")


async def test_the_whole_chat_url_waits_encrypted_for_whoever_sends(world: World) -> None:
    ana = await world.person()
    made = await add(world, ana, channel="chat", url=SLACK)
    ((stored,),) = await world.sql(
        "SELECT secret FROM contact_methods WHERE id = :id", id=made["id"]
    )
    assert b"cccc" not in stored
    place = secret_place(ana.id, made["channel"], made["address"])
    assert world.service.vault.unlock(stored, place=place) == SLACK
    elsewhere = secret_place(ana.id + 1, made["channel"], made["address"])
    assert world.service.vault.unlock(stored, place=elsewhere) is None


async def test_the_keys_of_a_browser_are_kept_and_not_shown(world: World) -> None:
    ana = await world.person()
    made = await add(world, ana, **push())
    assert PUSH_KEYS["auth"] not in str(made)
    ((stored,),) = await world.sql(
        "SELECT secret FROM contact_methods WHERE id = :id", id=made["id"]
    )
    place = secret_place(ana.id, made["channel"], made["address"])
    keys = world.service.vault.unlock(stored, place=place)
    assert keys is not None
    assert PUSH_KEYS["auth"] in keys
    assert PUSH_KEYS["p256dh"] in keys


async def test_a_refused_chat_url_is_not_repeated(world: World) -> None:
    ana = await world.person()
    for url in ("slack:T0SECRET", f"{SLACK}?format=T0SECRET", "T0SECRET" * 400):
        answer = await send(world, "POST", MINE, ana, json={"channel": "chat", "url": url})
        assert answer.status_code == 422
        assert "T0SECRET" not in answer.text


async def test_a_chat_on_a_host_of_ones_own_takes_an_admin(world: World) -> None:
    admin = await world.admin()
    ana = await world.person()
    body = {"channel": "chat", "url": OWN_HOST}
    await refused(world, "POST", MINE, ana, 403, "OWN_HOST_NEEDS_ADMIN", json=body)
    made = await world.call("POST", methods_of(ana), admin, expect=201, json=body)
    assert made["verified_at"] is None
