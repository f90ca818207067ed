"""What is secret is in no log line, whatever happens to the request that bears it."""

import pytest

from app.core.security import Signer
from app.crud import crud_user
from app.services.notification import LINK_PURPOSE
from tests.api.answers import send
from tests.api.logs import logged
from tests.world import World

LOGIN = "/v1/auth/login/access-token"
PASSWORD = "correct horse battery staple"


async def test_no_secret_of_ordinary_use_is_logged(world: World, signer: Signer) -> None:
    admin = await world.admin()
    await world.policy(admin, [(0, "admins")])
    number = (await world.declare(admin))["id"]
    await world.pass_time()
    page = (await world.notifications(admin, number))[0]
    link = signer.link(LINK_PURPOSE, page["id"])
    account = {"email": "new@example.org", "password": PASSWORD}

    with logged() as log:
        assert (await send(world, "POST", "/v1/users", admin, json=account)).is_success
        credentials = {"username": account["email"], "password": PASSWORD}
        token = (await send(world, "POST", LOGIN, json=credentials)).json()["access_token"]
        form = await send(world, "POST", LOGIN, data=credentials)
        headers = {"Authorization": f"Bearer {token}"}
        assert (await send(world, "GET", "/v1/users/me", headers=headers)).is_success
        key = await world.integration_key(admin)
        await world.alert(key)
        await send(world, "POST", "/v1/webhooks/alerts", headers={"Authorization": f"Bearer {key}"})
        assert (await world.client.get(f"/a/{link}")).status_code == 200
        assert (await world.client.post(f"/a/{link}")).status_code == 200
        await world.client.get(f"/a/{link}/")
        await world.client.get(f"/a/{link}/more")

    assert len(log.of("request")) >= 10
    secrets = [PASSWORD, token, form.json()["access_token"], key, link, token.split(".")[2]]
    assert [secret for secret in secrets if secret in log.text] == []


async def test_no_secret_of_a_refused_request_is_logged(world: World) -> None:
    admin = await world.admin()
    with logged() as log:
        for body in (
            {"username": "ana", "password": PASSWORD},
            {"username": "ana", "password": PASSWORD, "otp": 1},
            {"username": ["ana"], "password": PASSWORD},
        ):
            assert (await send(world, "POST", LOGIN, json=body)).is_client_error
        bad = {"email": "no address", "password": PASSWORD}
        assert (await send(world, "POST", "/v1/users", admin, json=bad)).status_code == 422
        headers = {"Authorization": f"Bearer {PASSWORD}"}
        assert (await send(world, "GET", "/v1/users/me", headers=headers)).status_code == 401
        headers = {"X-API-Key": PASSWORD}
        assert (await send(world, "POST", "/v1/webhooks/alerts", headers=headers)).is_client_error
        assert (await world.client.get("/a/secret-token")).status_code == 404
    assert PASSWORD not in log.text
    assert "secret-token" not in log.text


async def test_no_password_is_logged_when_something_breaks(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = await world.admin()

    async def broken(*_: object) -> None:
        raise RuntimeError("disk full")

    monkeypatch.setattr(crud_user, "add", broken)
    body = {"email": "new@example.org", "password": PASSWORD}
    with logged() as log:
        answer = await send(world, "POST", "/v1/users", admin, json=body)
    assert answer.status_code == 500
    assert len(log.of("request.failed")) == 1
    assert PASSWORD not in log.text
    assert admin.headers["Authorization"].split()[1] not in log.text
    assert "$bcrypt-sha256$" not in log.text
