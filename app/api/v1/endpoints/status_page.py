"""The status page's own settings."""

from fastapi import APIRouter

from app.api.deps import Admin, Now, Reader, ReadSession, WriteSession
from app.api.errors import answers
from app.api.etags import CONDITIONAL, NOT_MODIFIED, Edited, IfMatch
from app.api.resource_route import ResourceRoute
from app.crud import crud_status_page
from app.models import StatusPage
from app.schemas.status_page import StatusPageRead, StatusPageUpdate
from app.services import status_page as status_page_service

router = APIRouter(prefix="/status-page", tags=["status page"], route_class=ResourceRoute)

EDITED = Edited(crud_status_page.lock, crud_status_page.get, StatusPageRead)


@router.get(
    "",
    response_model=StatusPageRead,
    responses=answers(401, 422) | NOT_MODIFIED,
    dependencies=CONDITIONAL,
)
async def read_status_page(session: ReadSession, _: Reader) -> StatusPage:
    """Read the status page's settings."""
    return await crud_status_page.get(session)


@router.patch("", response_model=StatusPageRead, responses=answers(401, 403, 412, 413, 422))
async def update_status_page(
    session: WriteSession, body: StatusPageUpdate, now: Now, _: Admin, expected: IfMatch
) -> StatusPage:
    """Change the named settings."""
    await expected.hold(EDITED, session)
    fields = body.model_dump(mode="json", exclude_unset=True)
    return await status_page_service.update(session, fields, now=now)
