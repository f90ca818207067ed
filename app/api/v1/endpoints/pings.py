"""The door for heartbeats: an address is all that it takes, so that curl and cron can call it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response

from app.api.client import client_of
from app.api.deps import ServiceDep
from app.api.errors import answers
from app.core.errors import NotFoundError, TooManyError
from app.core.security import hash_key
from app.db.coalesce import CrowdedError
from app.domain.heartbeat_monitor import Ping, PingKind, read_kind, readable

router = APIRouter(prefix="/ping", tags=["heartbeats"])

NOTE_READ = 8_000  # bytes; of those 1,000 characters are kept
DRAINED = 1_000_000  # what may still come until we hang up
RETRY_AFTER = 5  # seconds

Token = Annotated[
    str,
    Path(
        pattern=r"^[A-Za-z0-9_-]{1,100}$",
        description="What the monitor’s ping URL ends in.",
        examples=["thb_5Vd2mJqk0xkZ1r8cPw7tQnYb3Lh6Gs9A"],
    ),
]
Signal = Annotated[
    str,
    Path(
        pattern=r"^(start|fail|[0-9]{1,3})$",
        description="`start`, `fail`, or the exit status of a program: 0 is a good ping.",
        examples=["fail"],
    ),
]
NOTE: dict[str, Any] = {
    "requestBody": {
        "description": "Kept with the ping, up to 1,000 characters. May be left out.",
        "content": {
            "application/octet-stream": {
                "schema": {"type": "string", "format": "binary"},
                "example": "12 tables, 3.4 GB",
            }
        },
    }
}
OK: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The ping is kept.",
        "content": {"text/plain": {"schema": {"type": "string"}, "example": "OK"}},
    }
}
ANSWERS: dict[str, Any] = {
    "response_class": Response,
    "responses": OK | answers(404, 422, 429, 503),
}


class TooManyPingsError(TooManyError):
    """More pings are coming in than can be written."""

    code = "TOO_MANY_PINGS"


async def _note(request: Request) -> str | None:
    """What came with the ping, as far as it is kept."""
    kept, seen = bytearray(), 0
    async for chunk in request.stream():
        seen += len(chunk)
        kept += chunk[: max(NOTE_READ - len(kept), 0)]
        if seen > DRAINED:
            break
    return readable(kept.decode(errors="replace"))


Note = Annotated[str | None, Depends(_note)]


async def _take(
    service: ServiceDep, request: Request, token: str, kind: PingKind, note: str | None
) -> Response:
    token_hash = hash_key(token)
    service.limits.ping(token_hash)
    try:
        is_known = await service.pings.add(Ping(token_hash, kind, note))
    except CrowdedError:
        text = "More pings are coming in than can be written just now; send it again."
        raise TooManyPingsError(text, retry_after=RETRY_AFTER) from None
    if not is_known:
        await service.limits.count_stranger(f"from {client_of(request)}")
        raise NotFoundError("heartbeat", "of this address")
    return Response("OK\n", media_type="text/plain")


@router.get("/{token}", **ANSWERS)
async def ping(service: ServiceDep, request: Request, token: Token) -> Response:
    """Say that all is well: the next ping is expected an interval from now. Ends an outage."""
    return await _take(service, request, token, PingKind.SUCCESS, None)


@router.post("/{token}", openapi_extra=NOTE, **ANSWERS)
async def ping_with_note(
    service: ServiceDep, request: Request, token: Token, note: Note
) -> Response:
    """The same with a note, which is the body whatever it is."""
    return await _take(service, request, token, PingKind.SUCCESS, note)


@router.get("/{token}/{signal}", **ANSWERS)
async def ping_signal(
    service: ServiceDep, request: Request, token: Token, signal: Signal
) -> Response:
    """Say that a run began (`start`), failed (`fail`), or how it ended (its exit status).

    A failure opens an incident at once. A start moves nothing; the next ping tells how long the
    run took.
    """
    return await _take(service, request, token, read_kind(signal), None)


@router.post("/{token}/{signal}", openapi_extra=NOTE, **ANSWERS)
async def ping_signal_with_note(
    service: ServiceDep, request: Request, token: Token, signal: Signal, note: Note
) -> Response:
    """The same with a note, which is the body whatever it is."""
    return await _take(service, request, token, read_kind(signal), note)
