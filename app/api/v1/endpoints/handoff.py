"""The hand-off brief of a schedule."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.api.deps import KeyPath, Reader, ReadSession
from app.api.errors import answers
from app.db.session import transaction_time
from app.schemas.alert import When
from app.schemas.handoff import HandoffBriefRead
from app.services import handoff
from app.services.handoff import Brief

router = APIRouter(prefix="/schedules/{schedule_id}/brief", tags=["being on call"])


@router.get("", response_model=HandoffBriefRead, responses=answers(401, 404, 422))
async def read_handoff_brief(
    session: ReadSession,
    schedule_id: KeyPath,
    _: Reader,
    at: Annotated[
        When | None,
        Query(
            description="The first hand-off then or later. Left out: one of the last hour, else"
            " the next."
        ),
    ] = None,
) -> Brief:
    """Read what whoever comes on call should know: who hands over, what is open, what was noisy.

    The start notice of a duty has the same in short.
    """
    now = await transaction_time(session)
    return await handoff.of_schedule(session, schedule_id, at=at, now=now)
