"""Me, and the people that admins look after."""

from typing import Any

from fastapi import APIRouter

from app.api.bounds import BoundedRoute
from app.api.deps import (
    Admin,
    CurrentUser,
    KeyPath,
    Now,
    Paging,
    Reader,
    ReadSession,
    ServiceDep,
    WriteSession,
)
from app.api.errors import answers
from app.crud import crud_user
from app.models import User
from app.schemas.base import PageRead
from app.schemas.user import UserCreate, UserRead, UserUpdate
from app.services import user as user_service

router = APIRouter(prefix="/users", tags=["users"], route_class=BoundedRoute)


@router.get("/me", response_model=UserRead, responses=answers(401))
async def read_me(user: CurrentUser) -> User:
    """Who is logged in."""
    return user


@router.get("", response_model=PageRead[UserRead], responses=answers(401, 422))
async def list_users(session: ReadSession, paging: Paging, _: Reader) -> dict[str, Any]:
    """List people, in the order they were made."""
    return paging.shown(await crud_user.list_page(session, paging.window))


@router.post(
    "", response_model=UserRead, status_code=201, responses=answers(401, 403, 409, 413, 422)
)
async def create_user(
    service: ServiceDep, session: WriteSession, body: UserCreate, now: Now, _: Admin
) -> User:
    """Make an account. Its mail address is paged at once; more ways come later."""
    hashed = await service.passwords.hash(body.password.get_secret_value())
    new = user_service.NewUser(**body.model_dump(exclude={"password"}), hashed_password=hashed)
    user = await user_service.create(session, new, now=now)
    return await user_service.require(session, user.id)


@router.get("/{user_id}", response_model=UserRead, responses=answers(401, 404, 422))
async def read_user(session: ReadSession, user_id: KeyPath, _: Reader) -> User:
    """Read one account."""
    return await user_service.require(session, user_id)


@router.patch(
    "/{user_id}", response_model=UserRead, responses=answers(401, 403, 404, 409, 413, 422)
)
async def update_user(
    service: ServiceDep,
    session: WriteSession,
    user_id: KeyPath,
    body: UserUpdate,
    now: Now,
    _: Admin,
) -> User:
    """Change the named fields. A deactivated person is paged no more and cannot log in."""
    fields = body.model_dump(exclude_unset=True, exclude={"password"})
    if body.password is not None:
        fields["hashed_password"] = await service.passwords.hash(body.password.get_secret_value())
    await user_service.update(session, user_id, fields, now=now)
    return await user_service.require(session, user_id)
