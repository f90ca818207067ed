"""Where the public subscribes to the status page, chooses, and leaves. Nobody logs in here.

Whoever asks is answered alike, whether or not an address is known; what counts is who follows the
link that was sent there. A GET changes nothing, because mail scanners follow links.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request

from app.api.bounds import BoundedRoute
from app.api.client import client_of
from app.api.deps import Now, ReadSession, ServiceDep, WriteSession
from app.api.errors import answers
from app.api.subscribing import keys_of, send_link
from app.schemas.auth import SentRead
from app.schemas.subscriber import (
    PublicSubscriberCreate,
    PublicSubscriberRead,
    PublicSubscriberUpdate,
)
from app.services import subscriber as subscriber_service
from app.services import subscriber_shown

router = APIRouter(
    prefix="/public/subscribers", tags=["public status page"], route_class=BoundedRoute
)

Link = Annotated[
    str,
    Path(
        min_length=1,
        max_length=100,
        pattern=r"^[0-9A-Za-z_-]+$",
        description="What every link to a subscriber holds; no secret stands in for it.",
        examples=["AAAAAAAAAAcAAAAA"],
    ),
]


@router.post("", response_model=SentRead, status_code=202, responses=answers(413, 422, 429))
async def subscribe_to_status(
    service: ServiceDep, request: Request, body: PublicSubscriberCreate
) -> dict[str, str]:
    """Ask to be told what happens on the status page. A link is sent there; following it counts.

    The answer is the same whether or not the address is known, and asking again soon sends no
    second link. A webhook is sent `confirmation.url`, to be posted to.
    """
    await send_link(service, body, client=client_of(request))
    return {"message": "A message with a link is on its way there; follow it to confirm."}


@router.get("/{token}", response_model=PublicSubscriberRead, responses=answers(404, 422))
async def read_own_subscription(
    service: ServiceDep, session: ReadSession, token: Link
) -> dict[str, Any]:
    """What the subscription of this link is for."""
    keys = keys_of(service)
    found = await subscriber_service.holder(session, token, keys)
    return await subscriber_shown.to_its_holder(session, found, keys)


@router.patch(
    "/{token}", response_model=PublicSubscriberRead, responses=answers(404, 409, 413, 422)
)
async def update_own_subscription(
    service: ServiceDep,
    session: WriteSession,
    token: Link,
    body: PublicSubscriberUpdate,
    now: Now,
) -> dict[str, Any]:
    """Change what one is told, and how often. Incidents are chosen where they are shown."""
    keys = keys_of(service)
    fields = body.model_dump(exclude_unset=True)
    found = await subscriber_service.holder(session, token, keys)
    fields = await subscriber_service.with_scopes(session, found.id, fields)
    found = await subscriber_service.choose_by_link(session, token, fields, keys, now=now)
    return await subscriber_shown.to_its_holder(session, found, keys)


@router.post(
    "/{token}/confirm", response_model=PublicSubscriberRead, responses=answers(404, 409, 422)
)
async def confirm_subscription(
    service: ServiceDep, session: WriteSession, token: Link, now: Now
) -> dict[str, Any]:
    """Prove that one reads what is sent there: from now on the subscription counts."""
    keys = keys_of(service)
    found = await subscriber_service.confirm(session, token, keys, now=now)
    return await subscriber_shown.to_its_holder(session, found, keys)


@router.post(
    "/{token}/unsubscribe", response_model=PublicSubscriberRead, responses=answers(404, 422)
)
async def unsubscribe_from_status(
    service: ServiceDep, session: WriteSession, token: Link, now: Now
) -> dict[str, Any]:
    """Be told nothing more, and nothing of what has not left yet. Again is no mistake."""
    keys = keys_of(service)
    found = await subscriber_service.unsubscribe(session, token, keys, now=now)
    return await subscriber_shown.to_its_holder(session, found, keys)
