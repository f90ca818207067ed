"""What everybody may read of a postmortem, without a login: words written for the public."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from app.api import public_copy
from app.api.bounds import BoundedRoute
from app.api.deps import ReadSession
from app.api.errors import answers
from app.api.etags import CONDITIONAL, NOT_MODIFIED
from app.schemas.postmortem import PublicPostmortemRead
from app.services import postmortem_public

router = APIRouter(prefix="/public", tags=["public"], route_class=BoundedRoute)


@router.get(
    "/incidents/{code}/postmortem",
    response_model=PublicPostmortemRead,
    responses=answers(404, 422) | NOT_MODIFIED,
    dependencies=CONDITIONAL,
)
async def read_public_postmortem(
    request: Request,
    session: ReadSession,
    code: Annotated[
        str, Path(min_length=1, max_length=50, description="What the public knows it by.")
    ],
) -> Response:
    """Read what the public is told about why an incident happened and what is done about it."""
    found = await postmortem_public.text(session, code)
    return public_copy.shown(request, PublicPostmortemRead.model_validate(found))
