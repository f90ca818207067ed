"""Who subscribed to the status page, for those who look after it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse

from app.api import subscriber_files
from app.api.deps import (
    Admin,
    KeyPath,
    Now,
    Paging,
    ReadSession,
    Responder,
    ServiceDep,
    WriteSession,
)
from app.api.errors import answers
from app.api.etags import CONDITIONAL, NOT_MODIFIED, Edited, IfMatch
from app.api.idempotency import Once, replays
from app.api.paging import refuse_unknown
from app.api.resource_route import ResourceRoute
from app.api.subscribing import closed_channels, keys_of
from app.crud import crud_subscriber
from app.crud.base import Slice
from app.crud.crud_subscriber import Scopes, SubscriberFilter
from app.domain.subscriber import Cadence, SubscriberState
from app.domain.user import Permission
from app.models import User
from app.schemas.base import PageRead
from app.schemas.subscriber import (
    SubscriberChannel,
    SubscriberCreate,
    SubscriberRead,
    SubscriberUpdate,
)
from app.services import subscriber as subscriber_service
from app.services import subscriber_shown
from app.services.subscriber_keys import Wishes

router = APIRouter(prefix="/subscribers", tags=["subscribers"], route_class=ResourceRoute)


async def _whole(session: ReadSession, subscriber_id: int) -> dict[str, Any]:
    found = await subscriber_service.require(session, subscriber_id)
    return await subscriber_shown.one(session, found, is_whole=True)


EDITED = Edited(crud_subscriber.lock, _whole, SubscriberRead)


def _is_whole(user: User) -> bool:
    return user.may(Permission.ADMINISTER)


async def _filter(
    state: Annotated[list[SubscriberState], Query(description="Any of these.")] = [],  # noqa: B006
    channel: Annotated[list[SubscriberChannel], Query(description="Any of these.")] = [],  # noqa: B006
    frequency: Cadence | None = None,
    component_id: Annotated[int | None, Query(ge=1, le=2**53 - 1)] = None,
    search: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=255,
            pattern=r"^[^\x00]*$",
            description="A part of an address; for admins, since others see addresses masked.",
        ),
    ] = None,
) -> SubscriberFilter:
    return SubscriberFilter(tuple(state), tuple(channel), frequency, component_id, search)


Filter = Annotated[SubscriberFilter, Depends(_filter)]


@router.get("", response_model=PageRead[SubscriberRead], responses=answers(401, 403, 422))
async def list_subscribers(
    session: ReadSession, where: Filter, paging: Paging, user: Responder
) -> dict[str, Any]:
    """List subscribers, the newest first. Only admins see whole addresses and may search them."""
    is_whole = _is_whole(user)
    subscriber_service.require_search_right(where, is_whole=is_whole)
    found = await crud_subscriber.list_page(session, where, paging.window)
    items = await subscriber_shown.rows(session, found.items, is_whole=is_whole)
    return paging.shown(Slice(items, found.total, found.total_is_bound, found.next_after))


@router.post(
    "",
    response_model=SubscriberRead,
    status_code=201,
    responses=answers(401, 403, 409, 413, 422) | replays(SubscriberRead),
)
async def create_subscriber(
    service: ServiceDep,
    session: WriteSession,
    body: SubscriberCreate,
    now: Now,
    admin: Admin,
    _: Once,
) -> dict[str, Any]:
    """Add somebody: at your word that they agreed, or by sending them the link to follow."""
    closed = closed_channels(service)
    address = subscriber_service.read(
        body.channel, body.address, service.objection, unconfigured=closed, by_admin=True
    )
    scopes = Scopes(tuple(body.components), tuple(body.groups))
    wishes = Wishes(scopes.count == 0, scopes, body.frequency)
    keys = keys_of(service)
    made = await subscriber_service.add(
        session, address, wishes, keys, have_agreed=body.have_agreed, by=admin, now=now
    )
    return await subscriber_shown.one(session, made, is_whole=True)


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses=answers(401, 403, 422)
    | {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
    dependencies=[Depends(refuse_unknown)],
)
async def export_subscribers(service: ServiceDep, _: Admin) -> StreamingResponse:
    """All subscribers, the newest first, as CSV in UTF-8, which an import reads. However many: it
    is written as it is read. A cell that a spreadsheet would run as a formula begins with an
    apostrophe. Of webhooks and chats the file holds what anybody may see, and not the secret."""
    return await subscriber_files.export(service.database)


@router.get(
    "/{subscriber_id}",
    response_model=SubscriberRead,
    responses=answers(401, 403, 404, 422) | NOT_MODIFIED,
    dependencies=CONDITIONAL,
)
async def read_subscriber(
    session: ReadSession, subscriber_id: KeyPath, user: Responder
) -> dict[str, Any]:
    """Read one subscriber."""
    found = await subscriber_service.require(session, subscriber_id)
    return await subscriber_shown.one(session, found, is_whole=_is_whole(user))


@router.patch(
    "/{subscriber_id}",
    response_model=SubscriberRead,
    responses=answers(401, 403, 404, 412, 413, 422),
)
async def update_subscriber(
    session: WriteSession,
    subscriber_id: KeyPath,
    body: SubscriberUpdate,
    now: Now,
    _: Admin,
    expected: IfMatch,
) -> dict[str, Any]:
    """Change the named fields. `is_paused: false` sends again to an address that refused before."""
    await expected.hold(EDITED, session, subscriber_id)
    fields = body.model_dump(exclude_unset=True)
    fields = await subscriber_service.with_scopes(session, subscriber_id, fields)
    found = await subscriber_service.update(session, subscriber_id, fields, now=now)
    return await subscriber_shown.one(session, found, is_whole=True)


@router.delete("/{subscriber_id}", status_code=204, responses=answers(401, 403, 404, 412, 422))
async def delete_subscriber(
    session: WriteSession, subscriber_id: KeyPath, _: Admin, expected: IfMatch
) -> Response:
    """Forget an address, and all that was sent there."""
    await expected.hold(EDITED, session, subscriber_id)
    await subscriber_service.remove(session, subscriber_id)
    return Response(status_code=204)
