"""`Idempotency-Key`: whoever asks again with the same key gets what was made the first time.

An endpoint that creates asks for `Once`, after whoever may call it: a replay is for those who
could ask for the thing itself. Its route (`ResourceRoute`) keeps the rendered answer before the
transaction commits. One that opens its own transaction asks for `OnceAside` and does both itself:
`claim` when it begins, `keep` before it ends.

What the entry for 200 in the OpenAPI document leaves out is not kept: secrets shown once.
"""

import hashlib
import hmac
import json
import re
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response
from pydantic import AfterValidator, BaseModel, WithJsonSchema

from app.api.deps import CurrentUser, ServiceDep, WriteSession
from app.api.state import Service
from app.db import session as db
from app.models import User
from app.services import idempotency_key as idempotency_key_service
from app.services.idempotency_key import Mark

LONGEST = 255
QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
BARE = re.compile(r"[!#-~][ -~]*")
REPLAYED = {"Idempotency-Replayed": "true"}
STATE = "once"  # where a request keeps what its route shall remember


def read_key(sent: str) -> str:
    """The key itself, which comes bare or as a quoted string."""
    quoted = QUOTED.fullmatch(sent)
    key = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else sent
    if (quoted is None and BARE.fullmatch(sent) is None) or not 1 <= len(key) <= LONGEST:
        raise ValueError(f"must be 1 to {LONGEST} printable ASCII characters, bare or in quotes")
    return key


ReadKey = Annotated[
    str | None,  # None is how it looks when it is left out; no header can be that
    AfterValidator(lambda sent: sent if sent is None else read_key(sent)),
    WithJsonSchema(
        {
            "type": "string",
            "minLength": 1,
            "maxLength": LONGEST,
            "pattern": "^[!#-~]([ -~]*[!-~])?$",
        }
    ),
]
KeyHeader = Annotated[
    ReadKey,
    Header(
        alias="Idempotency-Key",
        description="Of your own making, new for each thing that you want done. Asked again"
        " with the same key within 24 hours, Tocsin does nothing and answers 200 with what it"
        " answered first. 1 to 255 printable ASCII characters, bare or in quotes.",
        examples=["8e03978e-40d5-43dd-bc93-6894a57f9324"],
    ),
]


def replays(shown: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI entry of an answer that was given before."""
    return {
        200: {
            "model": shown,
            "description": "What was answered first to this `Idempotency-Key`.",
            "headers": {
                "Idempotency-Replayed": {
                    "description": "`true` when nothing was done, because it was done before.",
                    "schema": {"type": "string", "enum": ["true"]},
                }
            },
        }
    }


class ReplayedError(Exception):
    """Not an error, but the end of a request: it was answered before."""

    def __init__(self, answer: str) -> None:
        super().__init__("answered before")
        self.answer = answer

    def response(self) -> Response:
        return Response(self.answer, media_type="application/json", headers=REPLAYED)


class Doing:
    """What a request wants done once; without a key, as often as it is asked."""

    def __init__(self, mark: Mark | None) -> None:
        self.mark = mark

    async def claim(self, session: db.WriteSession) -> None:
        """Go on only if this is the first time; held until the transaction ends."""
        if self.mark is not None:
            now = await db.transaction_time(session)
            _stop_at(await idempotency_key_service.claim(session, self.mark, now=now))

    async def keep(self, session: db.WriteSession, shown: BaseModel) -> None:
        """Remember what will be answered."""
        if self.mark is not None:
            await _keep(session, self.mark, shown.model_dump_json())


def _stop_at(answer: str | None) -> None:
    if answer is not None:
        raise ReplayedError(answer)


async def _keep(session: db.WriteSession, mark: Mark, answer: str) -> None:
    now = await db.transaction_time(session)
    await idempotency_key_service.keep(session, mark, answer, now=now)


async def _once(
    request: Request,
    service: ServiceDep,
    session: WriteSession,
    user: CurrentUser,
    key: KeyHeader = None,
) -> Doing:
    doing = Doing(await _mark(request, service, user, key))
    await doing.claim(session)
    request.scope["state"][STATE] = None if doing.mark is None else (session, doing.mark)
    return doing


async def _aside(
    request: Request, service: ServiceDep, user: CurrentUser, key: KeyHeader = None
) -> Doing:
    doing = Doing(await _mark(request, service, user, key))
    if doing.mark is not None:  # before the endpoint counts it, or hashes a password for it
        async with service.database.reading() as session:
            now = await db.transaction_time(session)
            _stop_at(await idempotency_key_service.recall(session, doing.mark, now=now))
    return doing


Once = Annotated[Doing, Depends(_once, scope="function")]
OnceAside = Annotated[Doing, Depends(_aside)]


async def _mark(request: Request, service: Service, user: User, key: str | None) -> Mark | None:
    if key is None:
        return None
    secret = service.signer.derive("idempotency keys")  # a body may hold a password
    caller = f"user {user.id}" if user.key is None else f"API key {user.key.id}"
    whose = (caller, request.method, request.url.path, key)
    asked = (request.url.query, await request.body())
    return Mark(_digest(secret, *whose), _digest(secret, *asked))


def _digest(secret: bytes, *parts: str | bytes) -> str:
    raw = [part.encode() if isinstance(part, str) else part for part in parts]
    framed = b"".join(len(part).to_bytes(8) + part for part in raw)
    return hmac.new(secret, framed, hashlib.sha256).hexdigest()


async def keep_answer(request: Request, response: Response, shown: type[BaseModel] | None) -> None:
    """Remember what an endpoint with `Once` answered, in the transaction that did it."""
    held = request.scope["state"].pop(STATE, None)
    if held is None or response.status_code >= 400:
        return
    session, mark = held
    answer = json.loads(bytes(response.body))
    if shown is not None:
        answer = {name: value for name, value in answer.items() if name in shown.model_fields}
    await _keep(session, mark, json.dumps(answer, ensure_ascii=False, separators=(",", ":")))
