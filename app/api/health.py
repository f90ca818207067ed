"""How Tocsin is: alive for whoever restarts it, ready for whoever balances load."""

import time
from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from app.api.deps import ServiceDep
from app.core.version import VERSION
from app.crud import crud_health
from app.db import migrations
from app.db.session import is_outage, transaction_time
from app.schemas.base import ReadSchema

router = APIRouter(tags=["health"])


class DatabaseHealth(ReadSchema):
    reachable: bool
    schema_version: str | None
    expected_schema_version: str | None


class LatenessRead(ReadSchema):
    """How late the most overdue promise is, in seconds; 0 when nothing is late."""

    steps: float | None
    pages: float | None


class HealthRead(ReadSchema):
    status: Literal["ok", "degraded"]
    version: str
    uptime_seconds: float = Field(description="How long this process has run.", examples=[86400.0])
    database: DatabaseHealth
    loops: dict[str, Any] = Field(description="The loops of this process.")
    channels: dict[str, str] = Field(examples=[{"email": "ready", "webhook": "ready"}])
    lateness: LatenessRead


class ReadyRead(ReadSchema):
    ready: bool
    reasons: list[str] = Field(examples=[[]])


async def _look(service: ServiceDep) -> tuple[DatabaseHealth, LatenessRead]:
    try:
        async with service.database.reading() as session:
            now = await transaction_time(session)
            version = await migrations.current(session)
            late = await crud_health.lateness(session, now=now)
    except Exception as error:
        if not is_outage(error):
            raise
        found = DatabaseHealth(
            reachable=False, schema_version=None, expected_schema_version=migrations.newest()
        )
        return found, LatenessRead(steps=None, pages=None)
    found = DatabaseHealth(
        reachable=True, schema_version=version, expected_schema_version=migrations.newest()
    )
    return found, LatenessRead(steps=late.steps, pages=late.pages)


@router.head("/health", include_in_schema=False)
@router.get("/health", response_model=HealthRead, operation_id="read_health")
async def read_health(service: ServiceDep) -> HealthRead:
    """Alive, and how every part is. Always 200: restarting Tocsin mends none of its parts."""
    database, lateness = await _look(service)
    is_well = database.reachable and service.pulse.is_alive()
    return HealthRead(
        status="ok" if is_well else "degraded",
        version=VERSION,
        uptime_seconds=round(time.monotonic() - service.started, 1),
        database=database,
        loops=service.pulse.report(),
        channels=service.channel_states(),
        lateness=lateness,
    )


@router.head("/ready", include_in_schema=False)
@router.get(
    "/ready",
    response_model=ReadyRead,
    operation_id="read_ready",
    responses={503: {"model": ReadyRead, "description": "This replica should get no traffic."}},
)
async def read_ready(service: ServiceDep, response: Response) -> ReadyRead:
    """Whether this replica is fit: its database connection, its schema version, its loops."""
    database, _ = await _look(service)
    reasons = []
    if not database.reachable:
        reasons.append("The database cannot be reached.")
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
