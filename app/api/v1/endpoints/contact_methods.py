"""The addresses a person is reached at, and the proof that they are theirs.

What sends something is counted first, in a unit of work of its own. None of those endpoints
asks for a session: it would be held while the count waits for a second one.
"""

from typing import Any

from fastapi import APIRouter, Response

from app.api.deps import CurrentUser, KeyPath, Now, OwnerId, ReadSession, ServiceDep, WriteSession
from app.api.errors import answers
from app.api.etags import Edited, IfMatch
from app.api.idempotency import OnceAside, replays
from app.api.resource_route import ResourceRoute
from app.api.state import Service
from app.api.throttling import count
from app.db.session import WriteSession as Writing
from app.db.session import transaction_time
from app.models import ContactMethod
from app.schemas.contact_method import (
    EXAMPLE_CREATE,
    CodeSentRead,
    CodeWrite,
    ContactMethodCreate,
    ContactMethodCreated,
    ContactMethodRead,
    ContactMethodsRead,
    ContactMethodUpdate,
    PushKeyRead,
    TestSentRead,
)
from app.services import contact_method as contact_method_service
from app.services.contact_method import CodeSent, InvalidCodeError, NewMethod
from app.services.notification_preference import unconfigured

METHODS = "/users/{user_id}/contact-methods"
METHOD = METHODS + "/{contact_method_id}"

router = APIRouter(tags=["contact methods"], route_class=ResourceRoute)


async def _held(session: Writing, user_id: int, method_id: int) -> ContactMethodRead:
    return ContactMethodRead.model_validate(
        await contact_method_service.lock(session, user_id, method_id)
    )


EDITED = Edited(_held, contact_method_service.require, ContactMethodRead)


@router.get("/push/public-key", response_model=PushKeyRead, responses=answers(401))
async def read_push_key(service: ServiceDep, _: CurrentUser) -> dict[str, str]:
    """What a browser needs to subscribe to this installation's pushes."""
    return {"application_server_key": service.push_public_key}


@router.get(METHODS, response_model=ContactMethodsRead, responses=answers(401, 403, 404, 422))
async def list_contact_methods(session: ReadSession, user_id: OwnerId) -> dict[str, Any]:
    """List what a person can be reached at, in the order it was added."""
    return {"items": await contact_method_service.methods(session, user_id)}


@router.post(
    METHODS,
    response_model=ContactMethodCreated,
    status_code=201,
    responses=answers(401, 403, 404, 409, 413, 422, 429) | replays(ContactMethodCreated),
    openapi_extra={"requestBody": {"content": {"application/json": {"example": EXAMPLE_CREATE}}}},
)
async def create_contact_method(
    service: ServiceDep,
    user_id: OwnerId,
    body: ContactMethodCreate,
    user: CurrentUser,
    once: OnceAside,
) -> ContactMethodCreated:
    """Add an address. A code is sent there at once, and it is paged once that was entered.

    A browser's push subscription needs no code. A chat on a host of one's own takes an admin.
    """
    address = contact_method_service.read(body.channel, body.given, service.objection, by=user)
    if not address.proves_itself:
        await count(
            service, contact_method_service.code_tries(user_id, address.channel, address.text)
        )
    new = NewMethod(address, body.label, body.wants_updates)

    async def create(session: Writing) -> ContactMethodCreated:
        await once.claim(session)
        now = await transaction_time(session)
        method, sent = await contact_method_service.create(
            session, user_id, new, service.vault, now=now
        )
        shown = ContactMethodCreated(
            **ContactMethodRead.model_validate(method).model_dump(),
            code_sent=_told(service, sent) if sent else None,
        )
        await once.keep(session, shown)
        return shown

    return await service.database.write(create)


@router.patch(
    METHOD,
    response_model=ContactMethodRead,
    responses=answers(401, 403, 404, 412, 413, 422),
)
async def update_contact_method(
    session: WriteSession,
    user_id: OwnerId,
    contact_method_id: KeyPath,
    body: ContactMethodUpdate,
    now: Now,
    expected: IfMatch,
) -> ContactMethod:
    """Change the named fields. For another address add another contact method."""
    await expected.hold(EDITED, session, user_id, contact_method_id)
    fields = body.model_dump(exclude_unset=True)
    return await contact_method_service.update(session, user_id, contact_method_id, fields, now=now)


@router.delete(METHOD, status_code=204, responses=answers(401, 403, 404, 412, 422))
async def delete_contact_method(
    session: WriteSession,
    user_id: OwnerId,
    contact_method_id: KeyPath,
    now: Now,
    expected: IfMatch,
) -> Response:
    """Remove an address, and the notification rules that use it.

    The warnings at the rules say if nothing is left that pages.
    """
    await expected.hold(EDITED, session, user_id, contact_method_id)
    await contact_method_service.remove(session, user_id, contact_method_id, now=now)
    return Response(status_code=204)


@router.post(
    METHOD + "/send-code",
    response_model=CodeSentRead,
    status_code=202,
    responses=answers(401, 403, 404, 409, 413, 422, 429) | replays(CodeSentRead),
)
async def send_contact_method_code(
    service: ServiceDep, user_id: OwnerId, contact_method_id: KeyPath, once: OnceAside
) -> CodeSentRead:
    """Send a new code. Those sent before are good for nothing any more."""
    async with service.database.reading() as session:
        method = await contact_method_service.require_unverified(
            session, user_id, contact_method_id
        )
    await count(service, contact_method_service.code_tries(user_id, method.channel, method.address))

    async def send(session: Writing) -> CodeSentRead:
        await once.claim(session)
        now = await transaction_time(session)
        sent = await contact_method_service.send_code(session, user_id, contact_method_id, now=now)
        told = _told(service, sent)
        await once.keep(session, told)
        return told

    return await service.database.write(send)


@router.post(
    METHOD + "/verify",
    response_model=ContactMethodRead,
    responses=answers(401, 403, 404, 409, 413, 422),
)
async def verify_contact_method(
    service: ServiceDep, user_id: OwnerId, contact_method_id: KeyPath, body: CodeWrite
) -> ContactMethod:
    """Enter the code that was sent last. From then on pages go there.

    A rule that pages it at once is added unless there is a rule for it. A code takes five tries.
    """

    async def verify(session: Writing) -> ContactMethod | InvalidCodeError:
        now = await transaction_time(session)
        return await contact_method_service.verify(
            session, user_id, contact_method_id, body.code, service.signer, now=now
        )

    verified = await service.database.write(verify)
    if isinstance(verified, InvalidCodeError):
        raise verified
    return verified


@router.post(
    METHOD + "/test",
    response_model=TestSentRead,
    status_code=202,
    responses=answers(401, 403, 404, 409, 413, 422, 429) | replays(TestSentRead),
)
async def test_contact_method(
    service: ServiceDep, user_id: OwnerId, contact_method_id: KeyPath, once: OnceAside
) -> TestSentRead:
    """Send a message that asks for nothing, to see whether a page would arrive."""
    await count(service, contact_method_service.test_tries(user_id))

    async def send(session: Writing) -> TestSentRead:
        await once.claim(session)
        now = await transaction_time(session)
        method, notification = await contact_method_service.send_test(
            session, user_id, contact_method_id, now=now
        )
        told = TestSentRead(
            notification_id=notification.id,
            message=f"A test message is on its way to {method.address}.",
        )
        await once.keep(session, told)
        return told

    return await service.database.write(send)


def _told(service: Service, sent: CodeSent) -> CodeSentRead:
    message = sent.message(unconfigured(service.channel_states()))
    return CodeSentRead(message=message, expires_at=sent.expires_at)
