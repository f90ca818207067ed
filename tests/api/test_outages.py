"""What a database that is gone, slow or angry looks like from outside, and in the log."""

import socket
from dataclasses import replace

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.exc import DBAPIError

from app.core.logging import without_row_values
from app.crud import crud_user
from app.db.session import Database
from app.models import User


async def test_a_socket_that_is_gone_is_an_outage(app: FastAPI, client: httpx.AsyncClient) -> None:
    gone = Database("postgresql+asyncpg://nobody@/nothing?host=/tmp/no/such/folder")
    app.state.service = replace(app.state.service, database=gone)
    assert (await client.get("/ready")).status_code == 503
    health = await client.get("/health")
    assert (health.status_code, health.json()["status"]) == (200, "degraded")


async def test_a_database_that_never_answers_is_an_outage(
    app: FastAPI, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.db.session.CONNECT_TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        gone = Database(f"postgresql+asyncpg://nobody@127.0.0.1:{silent.getsockname()[1]}/x")
        app.state.service = replace(app.state.service, database=gone)
        assert (await client.get("/ready")).status_code == 503


async def test_an_error_of_the_database_shows_no_values_in_the_log(database: Database) -> None:
    row = User(email=" ", hashed_password="$bcrypt-sha256$secret")
    with pytest.raises(DBAPIError) as caught:
        async with database.writing() as session:
            await crud_user.add(session, row)
    logged = without_row_values(None, "", {"exception": str(caught.value)})
    assert "$bcrypt-sha256$" not in str(logged)
    assert "ck_users_email_given" in str(logged)


async def test_a_trailing_slash_means_the_same_thing(client: httpx.AsyncClient) -> None:
    assert (await client.get("/health/")).status_code == 200
    assert (await client.post("/v1/webhooks/alerts/", json={})).status_code == 401
    assert (await client.get("//")).status_code == 200
