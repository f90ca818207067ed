"""A copy of the status page in each process: as good as new, and made once for all who ask.

It is known to be good by the page's version, which every public change raises, and by the minute:
the days of a component grow while nobody changes anything. So a crowd costs one small question
each, and one picture a minute.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from fastapi import Request, Response
from pydantic import BaseModel

from app.api.public_picture import PublicPicture
from app.db.session import Database, transaction_time
from app.domain.public_page import PublicPage
from app.schemas.base import ReadSchema
from app.services import statuspage

GOOD_FOR = 15  # seconds for which a copy may be kept elsewhere
HEADERS = {
    "Cache-Control": f"public, max-age={GOOD_FOR}, stale-while-revalidate=60",
    "Access-Control-Allow-Origin": "*",
}
_VERSION = "SELECT now() AS now, (SELECT version FROM status_pages WHERE id = 1) AS version"
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Copy:
    """The page as it was at one instant."""

    key: tuple[int, datetime]
    picture: PublicPage
    documents: Mapping[str, ReadSchema]
    written: dict[str, bytes] = field(default_factory=dict)  # what was asked for, in JSON


class PublicCopies:
    """Holds the newest copy."""

    def __init__(self, database: Database, pictures: PublicPicture, address: str) -> None:
        self._database = database
        self._pictures = pictures
        self._address = address
        self._copy: Copy | None = None
        self._making = asyncio.Lock()

    async def newest(self) -> Copy:
        """A copy that is good now."""
        key = await self._key()
        copy = self._copy
        if copy is not None and copy.key == key:
            return copy
        async with self._making:  # whoever waited finds what the other has made
            copy = self._copy
            if copy is None or copy.key < key:
                copy = self._copy = await self._make(key)
            return copy

    async def _key(self) -> tuple[int, datetime]:
        [row] = await self._database.ask(_VERSION)
        now = (row["now"] + self._database.clock_shift).astimezone(UTC)
        return row["version"] or 0, now.replace(second=0, microsecond=0)

    async def _make(self, key: tuple[int, datetime]) -> Copy:
        async with self._database.reading() as session:
            now = await transaction_time(session)
            picture = await self._pictures.look(session, self._address, now=now)
            documents = await statuspage.documents(session, address=self._address)
        return Copy(key, picture, documents)


def answer(request: Request, body: bytes) -> Response:
    """What everybody may read and keep, with its tag; or 304 in its place."""
    tag = f'"{hashlib.blake2s(body, digest_size=12).hexdigest()}"'
    headers = {**HEADERS, "ETag": tag}
    offered = request.headers.get("if-none-match", "")
    if offered == "*" or tag in [one.strip().removeprefix("W/") for one in offered.split(",")]:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def shown(request: Request, shape: BaseModel) -> Response:
    """The same of one thing."""
    return answer(request, shape.model_dump_json().encode())


def shown_of(request: Request, copy: Copy, name: str, shape: type[BaseModel]) -> Response:
    """The same of a part of a copy, which is written once."""
    body = copy.written.get(name)
    if body is None:
        body = shape.model_validate(copy.picture, from_attributes=True).model_dump_json().encode()
        copy.written[name] = body
    return answer(request, body)


def document_of(request: Request, copy: Copy, name: str) -> Response:
    """The same of one of Statuspage's documents."""
    body = copy.written.get(name)
    if body is None:
        body = copy.written[name] = copy.documents[name].model_dump_json().encode()
    return answer(request, body)
