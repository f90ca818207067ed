"""Me, and the people that admins look after."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from app.api.callers import require_login
from app.api.deps import (
    Admin,
    CurrentUser,
    InPerson,
    KeyPath,
    Now,
    Reader,
    ReadSession,
    ServiceDep,
    WriteSession,
)
from app.api.errors import answers
from app.api.etags import CONDITIONAL, NOT_MODIFIED, Edited, IfMatch
from app.api.grants import granted, origin_of
from app.api.idempotency import OnceAside, replays
from app.api.paging import IsActive, PageQuery, paged
from app.api.resource_route import ResourceRoute
from app.api.throttling import count
from app.crud import crud_user
from app.crud.crud_user import UserFilter, UserOrder
from app.db.session import WriteSession as Writing
from app.db.session import transaction_time
from app.domain.throttle import login_quotas
from app.domain.user import Role
from app.models import User
from app.schemas.auth import PasswordChange, TokenRead
from app.schemas.base import PageRead
from app.schemas.types import Storable
from app.schemas.user import MeUpdate, UserCreate, UserRead, UserUpdate
from app.services import account as account_service
from app.services import auth as auth_service
from app.services import throttle
from app.services import user as user_service
from app.services.auth import Grant

router = APIRouter(prefix="/users", tags=["users"], route_class=ResourceRoute)

UserPaging = Annotated[PageQuery, Depends(paged(UserOrder, UserOrder.ID))]
PartOfName = Annotated[str, Field(min_length=1, max_length=255), Storable]

EDITED = Edited(crud_user.lock, user_service.require, UserRead)


@router.get(
    "/me",
    response_model=UserRead,
    responses=answers(401, 422) | NOT_MODIFIED,
    dependencies=CONDITIONAL,
)
async def read_me(user: CurrentUser) -> User:
    """Who is logged in."""
    return user


@router.patch("/me", response_model=UserRead, responses=answers(401, 403, 412, 413, 422))
async def update_me(
    session: WriteSession, body: MeUpdate, now: Now, user: CurrentUser, expected: IfMatch
) -> User:
    """Change one's own name, phone number and time zone. An admin changes the rest."""
    await expected.hold(EDITED, session, user.id)
    fields = body.model_dump(exclude_unset=True)
    await user_service.update(session, user.id, fields, now=now)
    return await user_service.require(session, user.id)


@router.put("/me/password", response_model=TokenRead, responses=answers(401, 403, 413, 422, 429))
async def change_password(
    service: ServiceDep, request: Request, body: PasswordChange, user: InPerson
) -> dict[str, Any]:
    """Change one's own password. Every login of the account ends; the answer begins a new one."""
    settings = service.settings
    quota, _ = login_quotas(settings.login_failures_per_account, 1)
    tries = [(quota, user.email.lower())]
    await count(service, tries)
    await account_service.prove_current(
        user, body.current_password.get_secret_value(), service.passwords
    )
    hashed = await service.passwords.hash(body.new_password.get_secret_value())

    origin = origin_of(request)

    async def change(session: Writing) -> Grant:
        now = await transaction_time(session)
        await throttle.forget(session, tries)
        await account_service.change_password(session, user, hashed, origin, now=now)
        return await auth_service.begin(
            session, user, hashed, origin, life=settings.refresh_token_life, now=now
        )

    return granted(service, await service.database.write(change))


@router.get("", response_model=PageRead[UserRead], responses=answers(401, 422))
async def list_users(
    session: ReadSession,
    paging: UserPaging,
    _: Reader,
    role: Annotated[list[Role], Query(description="Any of these.")] = [],  # noqa: B006
    is_active: IsActive = None,
    search: Annotated[
        PartOfName | None,
        Query(description="A part of the name or of the mail address, in any case."),
    ] = None,
) -> dict[str, Any]:
    """List people, in the order they were made."""
    where = UserFilter(role, is_active, search)
    return paging.shown(await crud_user.list_page(session, where, paging.window))


@router.post(
    "",
    response_model=UserRead,
    status_code=201,
    responses=answers(401, 403, 409, 413, 422) | replays(UserRead),
)
async def create_user(service: ServiceDep, body: UserCreate, _: Admin, once: OnceAside) -> User:
    """Make an account. Its mail address is paged at once; more ways come later."""
    # Hashed before the transaction begins: it takes long, and would hold a connection.
    hashed = await service.passwords.hash(body.password.get_secret_value())
    new = user_service.NewUser(**body.model_dump(exclude={"password"}), hashed_password=hashed)
    async with service.database.writing() as session:
        await once.claim(session)
        user = await user_service.create(session, new, now=await transaction_time(session))
        await once.keep(session, UserRead.model_validate(user))
        return await user_service.require(session, user.id)


@router.get(
    "/{user_id}",
    response_model=UserRead,
    responses=answers(401, 404, 422) | NOT_MODIFIED,
    dependencies=CONDITIONAL,
)
async def read_user(session: ReadSession, user_id: KeyPath, _: Reader) -> User:
    """Read one account."""
    return await user_service.require(session, user_id)


@router.patch(
    "/{user_id}", response_model=UserRead, responses=answers(401, 403, 404, 409, 412, 413, 422)
)
async def update_user(
    service: ServiceDep, user_id: KeyPath, body: UserUpdate, by: Admin, expected: IfMatch
) -> User:
    """Change the named fields. A deactivated person is paged no more and cannot log in."""
    fields = body.model_dump(exclude_unset=True, exclude={"password"})
    if body.password is not None:
        require_login(by)
        fields["hashed_password"] = await service.passwords.hash(body.password.get_secret_value())
    async with service.database.writing() as session:
        await expected.hold(EDITED, session, user_id)
        await user_service.update(session, user_id, fields, now=await transaction_time(session))
        return await user_service.require(session, user_id)


@router.delete("/{user_id}", status_code=204, responses=answers(401, 403, 404, 409, 412, 422))
async def delete_user(
    session: WriteSession, user_id: KeyPath, now: Now, _: Admin, expected: IfMatch
) -> Response:
    """Delete an account: its logins end, its address is free again, it is paged no more.

    What the person did stays in the history under their name. Somebody whom an active policy
    pages is refused; change the policy first.
    """
    await expected.hold(EDITED, session, user_id)
    await user_service.remove(session, user_id, now=now)
    return Response(status_code=204)
