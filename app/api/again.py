"""A request that met another one in the database is run once more, unseen by whoever sent it.

A deadlock's victim, and the second of two who make the same thing at once, would both end in an
error that says nothing; run anew, the first succeeds and the second finds what is there by now.
That is safe because one request is one transaction: of one that failed, nothing has happened.
"""

import asyncio
from collections import deque

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.bounds import LARGEST_BODY
from app.db.session import CLASH, CLASH_RETRIES

UNIQUE_VIOLATION = "23505"
LOCK_NOT_AVAILABLE = "55P03"


def sqlstate(error: BaseException) -> str | None:
    """PostgreSQL's own word for what went wrong, if it was PostgreSQL."""
    state: str | None = getattr(getattr(error, "orig", None), "sqlstate", None)
    return state


def was_in_the_way(error: BaseException) -> bool:
    """Whether another transaction was in the way for as long as we would try and wait."""
    return sqlstate(error) in (*CLASH, LOCK_NOT_AVAILABLE)


class Again:
    """Pure ASGI: runs the rest of the application until it does not clash."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        heard = Heard(receive)
        has_answered = False

        async def send_noted(message: Message) -> None:
            nonlocal has_answered
            has_answered = True
            await send(message)

        for attempt in range(CLASH_RETRIES):
            try:
                await self.app(dict(scope), heard.from_the_start(), send_noted)
            except Exception as error:
                may_clash = sqlstate(error) in (*CLASH, UNIQUE_VIOLATION)
                is_last = attempt == CLASH_RETRIES - 1
                if has_answered or is_last or not may_clash or not heard.is_whole:
                    raise
            else:
                return
            await asyncio.sleep(0.01 * 2**attempt)


class Heard:
    """What the client has sent so far, to be heard again from the start."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._messages: list[Message] = []
        self._size = 0

    @property
    def is_whole(self) -> bool:
        """False once too much has come for it to be kept."""
        return self._size <= LARGEST_BODY

    def from_the_start(self) -> Receive:
        kept = deque(self._messages)

        async def receive() -> Message:
            if kept:
                return kept.popleft()
            message = await self._receive()
            self._size += len(message.get("body", b""))
            if self.is_whole:
                self._messages.append(message)
            return message

        return receive
