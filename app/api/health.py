"""How Tocsin is: alive for whoever restarts it, ready for whoever balances load."""

import asyncio
import time
from functools import cache
from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from app.api.deps import ServiceDep
from app.core.version import VERSION
from app.crud import crud_health
from app.crud.crud_health import Backlog
from app.db import migrations
from app.db.redis import SharedStore
from app.db.session import Database, is_outage, transaction_time
from app.domain.time_zone import time_zone_version
from app.schemas.base import ReadSchema

router = APIRouter(tags=["health"])

PATIENCE = 4.0  # seconds: whoever asks shall hear the reason before they hang up


class DatabaseHealth(ReadSchema):
    reachable: bool
    takes_writes: bool | None = Field(
        None, description="False: a standby, or read-only. Null: it cannot be asked."
    )
    schema_version: str | None
    expected_schema_version: str | None


class LatenessRead(ReadSchema):
    """How late the most overdue promise is, in seconds; 0 when nothing is late."""

    steps: float | None
    pages: float | None


class BacklogRead(ReadSchema):
    """What is due and waits to be taken, counted up to 10,001."""

    steps: int
    messages: dict[str, int] = Field(examples=[{"email": 0, "webhook": 3}])


class RedisHealth(ReadSchema):
    state: Literal["ok", "lost"]
    error: str | None = Field(description="What it said, or did not say, when it was last asked.")


class HealthRead(ReadSchema):
    status: Literal["ok", "degraded"]
    version: str
    time_zone_version: str = Field(
        description="The release of IANA’s time zones that schedules go by.", examples=["2026b"]
    )
    uptime_seconds: float = Field(description="How long this process has run.", examples=[86400.0])
    database: DatabaseHealth
    redis: RedisHealth | None = Field(
        description="Lost: nothing fails, but each replica counts rate limits for itself."
        " Null: none is set."
    )
    loops: dict[str, Any] = Field(description="The loops of this process.")
    channels: dict[str, str] = Field(examples=[{"email": "ready", "webhook": "ready"}])
    providers: dict[str, Any] = Field(
        description="By channel: the providers that this process met, and whether they answer."
    )
    lateness: LatenessRead
    backlog: BacklogRead | None = Field(description="Null: the database cannot be asked.")
    overdue: dict[str, int] | None = Field(
        description="Promises that the auditor of this process found forgotten."
        " Null: it has not looked yet, or does not run here."
    )
    heartbeat: dict[str, Any] | None = Field(
        description="How the last call of the monitor went. Null: no monitor is set."
    )


class ReadyRead(ReadSchema):
    ready: bool
    reasons: list[str] = Field(examples=[[]])


@cache
def _expected() -> str | None:
    return migrations.newest()


async def _ask(database: Database, *, deeply: bool) -> tuple[DatabaseHealth, Backlog | None]:
    """How the database is; and what waits in it, if that is wanted and this code can tell."""
    backlog = None
    try:
        async with asyncio.timeout(PATIENCE), database.reading() as session:
            takes_writes = await crud_health.takes_writes(session)
            version = await migrations.current(session)
            if deeply and version == _expected():
                now = await transaction_time(session)
                backlog = await crud_health.backlog(session, now=now)
    except Exception as error:
        if not is_outage(error):
            raise
        return _database(reachable=False), None
    return _database(reachable=True, takes_writes=takes_writes, schema_version=version), backlog


def _database(
    *, reachable: bool, takes_writes: bool | None = None, schema_version: str | None = None
) -> DatabaseHealth:
    return DatabaseHealth(
        reachable=reachable,
        takes_writes=takes_writes,
        schema_version=schema_version,
        expected_schema_version=_expected(),
    )


def _lateness(backlog: Backlog | None) -> LatenessRead:
    if backlog is None:
        return LatenessRead(steps=None, pages=None)
    return LatenessRead(steps=backlog.steps.waiting, pages=backlog.late_pages)


def _backlog(backlog: Backlog | None) -> BacklogRead | None:
    if backlog is None:
        return None
    due = {str(channel): queue.due for channel, queue in backlog.messages.items()}
    return BacklogRead(steps=backlog.steps.due, messages=due)


async def _redis(store: SharedStore | None) -> RedisHealth | None:
    if store is None:
        return None
    return RedisHealth(state=await store.check(), error=store.last_error)


@router.get("/health", response_model=HealthRead, operation_id="read_health")
async def read_health(service: ServiceDep) -> HealthRead:
    """Alive, and how every part is. Always 200: restarting Tocsin mends none of its parts."""
    database, backlog = await _ask(service.database, deeply=True)
    overdue = service.pulse.overdue()
    is_forgetful = overdue is not None and any(overdue.values())
    redis = await _redis(service.limits.store)
    has_lost = redis is not None and redis.state == "lost"
    is_well = (
        database.takes_writes and service.pulse.is_alive() and not is_forgetful and not has_lost
    )
    return HealthRead(
        status="ok" if is_well else "degraded",
        version=VERSION,
        time_zone_version=time_zone_version(),
        uptime_seconds=round(time.monotonic() - service.started, 1),
        database=database,
        redis=redis,
        loops=service.pulse.report(),
        channels=service.channel_states(),
        providers=service.pulse.providers(),
        lateness=_lateness(backlog),
        backlog=_backlog(backlog),
        overdue=overdue,
        heartbeat=service.pulse.heartbeat(),
    )


@router.get(
    "/ready",
    response_model=ReadyRead,
    operation_id="read_ready",
    responses={503: {"model": ReadyRead, "description": "This replica should get no traffic."}},
)
async def read_ready(service: ServiceDep, response: Response) -> ReadyRead:
    """Whether this replica is fit: its database connection, its schema version, its loops."""
    database, _ = await _ask(service.database, deeply=False)
    reasons = []
    if not database.reachable:
        reasons.append("The database cannot be reached.")
    elif not database.takes_writes:
        reasons.append("The database takes no writes: it is a standby, or was put to read-only.")
    elif database.schema_version != database.expected_schema_version:
        reasons.append(
            f"The schema is at version {database.schema_version}, this code expects"
            f" {database.expected_schema_version}; run `tocsin migrate`."
        )
    if not service.pulse.is_alive():
        reasons.append("The loops of this process stand still.")
    if reasons:
        response.status_code = 503
    return ReadyRead(ready=not reasons, reasons=reasons)
