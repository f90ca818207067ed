"""Files of subscribers: sent, watched while they are taken in, and what was wrong with them."""

from typing import Annotated, Any, ClassVar

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse

from app.api import subscriber_files
from app.api.deps import Admin, KeyPath, Now, Paging, ReadSession, ServiceDep, WriteSession
from app.api.errors import answers
from app.api.idempotency import Once, replays
from app.api.paging import refuse_unknown
from app.api.resource_route import ResourceRoute
from app.crud import crud_subscriber_import
from app.domain.subscriber_import import LARGEST_FILE
from app.models import SubscriberImport
from app.schemas.base import PageRead
from app.schemas.subscriber_import import SubscriberImportRead
from app.services import subscriber_import as import_service

EXAMPLE = "address,frequency,components\r\nsam@example.org,daily,Checkout; Search\r\n"
FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "CSV in UTF-8. The first line names the columns: `address`, and if you like"
        " `channel`, `frequency`, `components` (names separated by semicolons). Call it `text/csv`"
        " if you like.",
        "content": {
            # What generated clients know how to send.
            "application/octet-stream": {
                "schema": {"type": "string", "format": "binary"},
                "example": EXAMPLE,
            }
        },
    }
}


class FileRoute(ResourceRoute):
    """Takes a body as large as a file may be."""

    largest: ClassVar[int] = LARGEST_FILE


router = APIRouter(prefix="/subscriber-imports", tags=["subscribers"], route_class=FileRoute)

FileName = Annotated[
    str,
    Query(
        min_length=1,
        max_length=255,
        pattern=r"^[^\x00]*$",
        description="What the file is called, for those who look at the list.",
        examples=["customers.csv"],
    ),
]


@router.get("", response_model=PageRead[SubscriberImportRead], responses=answers(401, 403, 422))
async def list_subscriber_imports(session: ReadSession, paging: Paging, _: Admin) -> dict[str, Any]:
    """List the files that were sent, the newest first. They are kept for 30 days."""
    return paging.shown(await crud_subscriber_import.list_page(session, paging.window))


@router.post(
    "",
    response_model=SubscriberImportRead,
    status_code=202,
    responses=answers(401, 403, 409, 413, 422) | replays(SubscriberImportRead),
    openapi_extra=FILE,
    dependencies=[Depends(refuse_unknown)],
)
async def create_subscriber_import(
    request: Request,
    session: WriteSession,
    now: Now,
    admin: Admin,
    _: Once,
    name: FileName = "subscribers.csv",
    have_agreed: Annotated[
        bool,
        Query(
            description="You have their consent: they are told without following a link first."
            " Otherwise each is sent one."
        ),
    ] = False,
) -> SubscriberImport:
    """Send a file of subscribers, of 5,000,000 bytes and 50,000 lines at most.

    It is taken in line by line; ask again for how far it has come. A line that is wrong stops
    nothing and stands in the report. An address that is there already stays as it is.
    """
    return await import_service.start(
        session, name, await request.body(), have_agreed=have_agreed, by=admin, now=now
    )


@router.get(
    "/{import_id}",
    response_model=SubscriberImportRead,
    responses=answers(401, 403, 404, 422),
)
async def read_subscriber_import(
    session: ReadSession, import_id: KeyPath, _: Admin
) -> SubscriberImport:
    """How far a file was taken in."""
    return await import_service.require(session, import_id)


@router.get(
    "/{import_id}/report",
    response_class=StreamingResponse,
    responses=answers(401, 403, 404, 422)
    | {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
    dependencies=[Depends(refuse_unknown)],
)
async def read_subscriber_import_report(
    service: ServiceDep, session: ReadSession, import_id: KeyPath, _: Admin
) -> StreamingResponse:
    """The lines that were refused, with what is wrong with each, as CSV in UTF-8."""
    await import_service.require(session, import_id)
    return await subscriber_files.report(service.database, import_id)
