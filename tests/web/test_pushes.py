"""A browser that is pushed to: its owner switches that on by a form; nothing secret is shown."""

from tests.reaching import PUSH_KEYS
from tests.web.consoles import console
from tests.world import World

ENDPOINT = "https://push.example.org/send/0123456789"
FORM = {
    "channel": "push",
    "label": "",
    "subscription.endpoint": ENDPOINT,
    "subscription.keys.p256dh": PUSH_KEYS["p256dh"],
    "subscription.keys.auth": PUSH_KEYS["auth"],
}


async def test_a_browser_is_added_once_and_its_keys_are_never_shown(world: World) -> None:
    ana = await world.person()
    seen = await console(world, ana)
    for _ in range(2):
        assert await seen.do("/profile/push", FORM) == "/profile/push"
    path = f"/v1/users/{ana.id}/contact-methods"
    found = (await world.call("GET", path, ana))["items"]
    assert [one["channel"] for one in found].count("push") == 1
    html = await seen.get("/profile/push")
    assert PUSH_KEYS["auth"] not in html
    assert ENDPOINT not in html
    assert f'data-push="{world.service.push_public_key}"' in html


async def test_what_no_browser_would_send_is_refused_in_words(world: World) -> None:
    seen = await console(world, await world.person())
    answer = await seen.post("/profile/push", {**FORM, "subscription.keys.auth": "x"})
    assert answer.status_code == 422
    assert "Pages are pushed to no browser" in answer.text


async def test_it_takes_a_form_of_ours(world: World) -> None:
    seen = await console(world, await world.person())
    answer = await seen.post("/profile/push", FORM, token="made up")
    assert answer.status_code == 403
