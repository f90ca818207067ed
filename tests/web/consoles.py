"""Somebody at the console, as a browser without scripts has it: links, forms, and a cookie."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx

from app.api import browser
from app.db.session import transaction_time
from app.services import auth as auth_service
from app.services import user as user_service
from tests.web.html import Page, read
from tests.world import Person, World

HTML = {"Accept": "text/html,application/xhtml+xml"}


@dataclass
class Console:
    """A browser that is signed in."""

    world: World
    person: Person
    cookie: str
    token: str

    async def get(self, path: str, *, expect: int = 200, part: bool = False) -> str:
        """The HTML of a page, or of a part of one as htmx asks for it."""
        extra = {"HX-Request": "true"} if part else {}
        answer = await self._send("GET", path, headers=extra)
        assert answer.status_code == expect, f"{answer.status_code} {answer.text[:500]}"
        return answer.text

    async def page(self, path: str, *, expect: int = 200) -> Page:
        return read(await self.get(path, expect=expect))

    async def post(
        self, path: str, form: Mapping[str, Any] | None = None, *, token: str | None = None
    ) -> httpx.Response:
        """Send a form as its button does, and stay where it leads."""
        fields = {"csrf": self.token if token is None else token, **(form or {})}
        return await self._send("POST", path, data=fields)

    async def do(self, path: str, form: Mapping[str, Any] | None = None) -> str:
        """A form that is taken; where it leads."""
        answer = await self.post(path, form)
        assert answer.status_code == 303, f"{answer.status_code} {answer.text[:500]}"
        return str(answer.headers["location"])

    async def _send(self, method: str, path: str, **kw: Any) -> httpx.Response:
        name = f"__Host-{browser.COOKIE}"
        headers = {**HTML, "Cookie": f"{name}={self.cookie}", **kw.pop("headers", {})}
        answer = await self.world.client.request(method, path, headers=headers, **kw)
        self.world.client.cookies.clear()
        return answer


async def console(world: World, person: Person) -> Console:
    """Sign this person in with a browser."""
    async with world.database.writing() as session:
        now = await transaction_time(session)
        user = await user_service.require(session, person.id)
        cookie = await auth_service.begin_in_browser(
            session,
            user,
            user.hashed_password,
            auth_service.Origin(),
            life=timedelta(days=30),
            now=now,
        )
    return Console(world, person, cookie, browser.form_token(world.service.signer, cookie))
