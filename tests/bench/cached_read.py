"""The other way, for comparison: an incident from a cache in the process, beside the plain read.

The cache is as cheap as one can be that never shows a stale state: what shows of an incident is
its row, its tally, who works on it and what they are called, so that is what its key holds, read
anew for each request. In Redis it would cost a round trip more.
"""

import os
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Depends, Response
from sqlalchemy import text

from app.api.deps import KeyPath, ReadSession, logged_in
from app.core.load import load_settings
from app.crud import crud_incident
from app.main import Setup, create_app
from app.schemas.incident import IncidentRead
from tests import unlimited

STATE = text("""
    SELECT i.revision, t.alert_count, string_agg(concat(a.id, a.role, u.id, u.revision), ',')
    FROM incidents i
    JOIN incident_tallies t ON t.incident_id = i.id
    LEFT JOIN incident_assignments a ON a.incident_id = i.id
    LEFT JOIN users u ON u.id = a.user_id
    WHERE i.id = :id AND i.deleted_at IS NULL
    GROUP BY i.revision, t.alert_count
""")

setup = Setup(
    settings=load_settings(password_rounds=4, log_format="json", **unlimited.SETTINGS),
    database_url=os.environ["BENCH_DATABASE_URL"],
    data_dir=Path(os.environ["BENCH_DATA_DIR"]),
    secret_key="a secret key that is long enough for the bench",
    public_url="http://127.0.0.1",
)
app = create_app(setup, with_worker=False)
router = APIRouter(dependencies=[Depends(logged_in)])
cache: dict[tuple[Any, ...], bytes] = {}


@router.get("/cached/{incident_id}")
async def read(session: ReadSession, incident_id: KeyPath) -> Response:
    state = (await session.execute(STATE, {"id": incident_id})).one()
    body = cache.get((incident_id, *state))
    if body is None:
        incident = await crud_incident.get(session, incident_id)
        body = IncidentRead.model_validate(incident).model_dump_json().encode()
        cache[(incident_id, *state)] = body
    return Response(body, media_type="application/json")


app.include_router(router)
