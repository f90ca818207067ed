"""What providers say about the messages they took.

Nobody logs in here. The address of a receipt holds what only its provider and we know; a form
of Twilio's is believed only with Twilio's signature, once we can check it.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response

from app.api.bounds import BoundedRoute
from app.api.deps import Now, ServiceDep, WriteSession
from app.api.documented import NAMED_REQUEST
from app.api.errors import answers
from app.api.state import Service
from app.core.errors import NotFoundError
from app.services import receipt as receipt_service
from app.services.receipt import Call

router = APIRouter(prefix="/receipts", tags=["receipts"], route_class=BoundedRoute)

FORM = "application/x-www-form-urlencoded"
BODIES: dict[str, Any] = {
    "parameters": [NAMED_REQUEST],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "object"},
                "example": {"id": "msg-7", "status": "delivered"},
            },
            FORM: {
                "schema": {"type": "object"},
                "example": {"MessageSid": "SM0123", "MessageStatus": "delivered"},
            },
        },
    },
}


async def _told_of(
    service: ServiceDep,
    token: Annotated[
        str, Path(max_length=100, description="What the message's receipt URL ended in.")
    ],
) -> int:
    notification_id = service.signer.read_link(receipt_service.LINK_PURPOSE, token)
    if notification_id is None:
        raise NotFoundError("receipt", "of this address")
    return notification_id


ToldOf = Annotated[int, Depends(_told_of)]


async def _call(request: Request, service: ServiceDep, _: ToldOf) -> Call:
    """What was said, and that it was said by whom it seems. Asks no database."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    call = receipt_service.read(await request.body(), is_form=kind == FORM)
    auth_token = service.settings.twilio_auth_token
    if auth_token is not None:
        receipt_service.require_signed(
            call,
            auth_token=auth_token.get_secret_value(),
            url=_called(service, request),
            signature=request.headers.get("x-twilio-signature", ""),
        )
    return call


def _called(service: Service, request: Request) -> str:
    """The URL as the provider knows it, whatever proxies are in between."""
    base = service.settings.public_url or str(request.base_url)
    return base.rstrip("/") + request.url.path


@router.post(
    "/{token}",
    status_code=204,
    response_class=Response,
    responses=answers(403, 404, 413, 422),
    openapi_extra=BODIES,
)
async def report_receipt(
    call: Annotated[Call, Depends(_call)],
    notification_id: ToldOf,
    session: WriteSession,
    now: Now,
) -> None:
    """Take in a provider's word on a message it took: Twilio's form, or a gateway's JSON.

    It may come late, twice and in any order. What arrived stays delivered; what is lost lets
    the next step of the policy come, if nothing else of its step is left.
    """
    await receipt_service.record(session, notification_id, call.receipt, call.provider_id, now=now)
