"""What a story needs: people who can log in, policies, tools, and loops turned by hand."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import httpx
from sqlalchemy import text

from app.api.state import Service
from app.channels.base import GaveUp, Message, Outcome, RetryLater, Sender, Sent
from app.db.session import Database, transaction_time
from app.domain.notification import Channel
from app.domain.user import Role
from app.services import auth as auth_service
from app.services import user as user_service
from app.worker.compose import composer
from app.worker.delivery import Lane
from app.worker.escalation import climb_due


class Clock(Protocol):
    def forward(self, **span: float) -> None: ...

    async def now(self) -> datetime: ...


@dataclass
class Person:
    """Somebody with an account, and the headers of their session."""

    id: int
    email: str
    headers: dict[str, str]
    session_id: int = 0


async def deliver(way: Lane) -> None:
    """Send everything that is due now, as the loop does: again whenever a sender is free."""
    freed = asyncio.Event()
    way.freed = freed.set
    freed.set()
    while freed.is_set():
        freed.clear()
        await way.deliver_due()
        await way.drain()


@dataclass
class World:
    database: Database
    service: Service
    client: httpx.AsyncClient
    clock: Clock

    # --- people

    async def person(
        self, email: str = "ana@example.org", role: Role = Role.RESPONDER, **fields: Any
    ) -> Person:
        """An account. Its password is `password`."""
        hashed = await self.service.passwords.hash("password")
        async with self.database.writing() as session:
            now = await transaction_time(session)
            new = user_service.NewUser(email, hashed, role=role, **fields)
            user = await user_service.create(session, new, now=now)
        return await self.login(user.id)

    async def login(self, user_id: int) -> Person:
        """Another login of somebody with an account."""
        async with self.database.writing() as session:
            now = await transaction_time(session)
            user = await user_service.require(session, user_id)
            grant = await auth_service.begin(
                session,
                user,
                user.hashed_password,
                auth_service.Origin(),
                life=timedelta(days=30),
                now=now,
            )
        token = self.service.signer.access_token(
            user.id,
            grant.session_id,
            now=await self._real_now(),
            life=self.service.settings.access_token_life,
        )
        headers = {"Authorization": f"Bearer {token}"}
        return Person(user.id, user.email, headers, grant.session_id)

    async def admin(self, email: str = "admin@example.org") -> Person:
        return await self.person(email, Role.ADMIN)

    async def _real_now(self) -> datetime:
        # Tokens go by the process's clock, which no test moves.
        async with self.database.reading() as session:
            return await transaction_time(session) - self.database.clock_shift

    # --- the API

    async def call(
        self, method: str, path: str, who: Person | None = None, *, expect: int = 200, **kw: Any
    ) -> Any:
        """The JSON of a call that must answer `expect`."""
        headers = {**(who.headers if who else {}), **kw.pop("headers", {})}
        response = await self.client.request(method, path, headers=headers, **kw)
        assert response.status_code == expect, response.text
        return response.json() if response.content else None

    async def policy(
        self, admin: Person, pages: list[tuple[float, Any]], **fields: Any
    ) -> dict[str, Any]:
        """A policy whose steps notify one target each, `(delay_minutes, target)`, or `steps`."""
        body = {
            "name": "Primary",
            "steps": [
                {"delay_minutes": delay, "actions": [{"type": "notify", "target": target}]}
                for delay, target in pages
            ],
            **fields,
        }
        made: dict[str, Any] = await self.call(
            "POST", "/v1/escalation/policies", admin, expect=201, json=body
        )
        return made

    async def integration_key(self, admin: Person, kind: str = "alerts", **fields: Any) -> str:
        body = {"name": f"{kind} tool", "kind": kind, **fields}
        made = await self.call("POST", "/v1/integrations", admin, expect=201, json=body)
        return str(made["key"])

    async def declare(self, who: Person, **fields: Any) -> dict[str, Any]:
        body = {"title": "Disk full", "severity": "high", "service": "database", **fields}
        made: dict[str, Any] = await self.call("POST", "/v1/incidents", who, expect=201, json=body)
        return made

    async def alert(self, key: str, expect: int = 200, **fields: Any) -> dict[str, Any]:
        """Post one alert in the plain format; what became of it."""
        body = {"title": "Disk full", "service": "database", "dedup_key": "disk", **fields}
        answer = await self.call(
            "POST", "/v1/webhooks/alerts", expect=expect, headers={"X-API-Key": key}, json=body
        )
        receipt: dict[str, Any] = answer["alerts"][0]
        return receipt

    async def act(self, who: Person, incident_id: int, action: str, **kw: Any) -> dict[str, Any]:
        answer: dict[str, Any] = await self.call(
            "POST", f"/v1/incidents/{incident_id}/{action}", who, **kw
        )
        return answer

    async def notifications(self, who: Person, incident_id: int) -> list[dict[str, Any]]:
        answer = await self.call("GET", f"/v1/incidents/{incident_id}/notifications", who)
        items: list[dict[str, Any]] = answer["items"]
        return items

    async def timeline(self, who: Person, incident_id: int) -> list[str]:
        """The types of what happened, in order."""
        answer = await self.call("GET", f"/v1/incidents/{incident_id}/timeline", who)
        return [entry["event_type"] for entry in answer["items"]]

    # --- the loops

    async def climb(self) -> int:
        """Take every step that is due now."""
        return await climb_due(self.database)

    async def deliver(self, sender: Sender) -> None:
        """Send everything on the sender's channel that is due now."""
        lane = Lane(
            self.database,
            sender,
            composer(self.service.signer, "https://tocsin.test"),
            chance=lambda: 0.5,
        )
        await deliver(lane)

    async def pass_time(self, sender: Sender | None = None, **span: float) -> None:
        """Move the clock on, climb, and deliver if a sender is given."""
        self.clock.forward(**span)
        await self.climb()
        if sender is not None:
            await self.deliver(sender)

    async def sql(self, statement: str, **values: Any) -> list[Any]:
        """Look at (or break) the tables directly."""
        async with self.database.writing() as session:
            result = await session.execute(text(statement), values)
            return list(result.all()) if result.returns_rows else []


class Scripted:
    """A sender that answers as told, for outcomes that no server here can be made to give.

    It keeps what it was given; with nothing left to say it says that it sent.
    """

    concurrency = 8

    def __init__(self, *outcomes: Outcome, channel: Channel = Channel.EMAIL) -> None:
        self.channel = channel
        self.timeout = timedelta(seconds=5)
        self.outcomes = list(outcomes)
        self.messages: list[Message] = []

    async def send(self, message: Message) -> Outcome:
        self.messages.append(message)
        return self.outcomes.pop(0) if self.outcomes else Sent()

    @property
    def recipients(self) -> list[str]:
        return [message.address for message in self.messages]

    def state(self) -> str:
        return "ready"

    async def close(self) -> None:
        pass


__all__ = ["GaveUp", "Person", "RetryLater", "Scripted", "Sent", "World"]
