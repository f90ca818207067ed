"""Who changed what: for admins, page by page or as one CSV file."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from app.api import audit_file
from app.api.bounds import BoundedRoute
from app.api.deps import Admin, Paging, ReadSession, ServiceDep
from app.api.errors import answers
from app.api.paging import refuse_unknown
from app.crud import crud_audit_log
from app.crud.crud_audit_log import AuditFilter
from app.schemas.alert import When
from app.schemas.audit_log import AuditEntryRead
from app.schemas.base import PageRead

router = APIRouter(tags=["audit log"], route_class=BoundedRoute)

Word = Annotated[str | None, Query(min_length=1, max_length=128, pattern=r"^[^\x00]*$")]


async def _filter(
    user_id: Annotated[int | None, Query(ge=1, le=2**53 - 1)] = None,
    action: Annotated[Word, Query(examples=["incident.acknowledged"])] = None,
    resource_type: Annotated[Word, Query(examples=["incident"])] = None,
    resource_id: Word = None,
    request_id: Word = None,
    since: Annotated[When | None, Query(description="Then or later.")] = None,
    until: Annotated[When | None, Query(description="Before then.")] = None,
) -> AuditFilter:
    return AuditFilter(user_id, action, resource_type, resource_id, request_id, since, until)


Filter = Annotated[AuditFilter, Depends(_filter)]


@router.get("/audit-log", response_model=PageRead[AuditEntryRead], responses=answers(401, 403, 422))
async def list_audit_log(
    session: ReadSession, where: Filter, paging: Paging, _: Admin
) -> dict[str, Any]:
    """List what people, their programs and commands changed, newest first."""
    return paging.shown(await crud_audit_log.list_page(session, where, paging.window))


@router.get(
    "/audit-log.csv",
    response_class=StreamingResponse,
    responses=answers(401, 403, 422)
    | {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
    dependencies=[Depends(refuse_unknown)],
)
async def export_audit_log(service: ServiceDep, where: Filter, _: Admin) -> StreamingResponse:
    """All entries that match, newest first, as CSV in UTF-8. However many: it is written as it
    is read. A cell that a spreadsheet would run as a formula begins with an apostrophe."""
    return await audit_file.export(service.database, where)
