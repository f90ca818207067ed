"""API keys: one's own, and everybody's for an admin."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from app.api.deps import (
    CurrentUser,
    InPerson,
    KeyPath,
    Now,
    Paging,
    ReadSession,
    WriteSession,
)
from app.api.errors import answers
from app.api.idempotency import Once, replays
from app.api.resource_route import ResourceRoute
from app.core.errors import ForbiddenError
from app.crud import crud_api_key
from app.domain.user import Permission
from app.models import User
from app.schemas.api_key import ApiKeyCreate, ApiKeyCreated, ApiKeyRead
from app.schemas.base import PageRead
from app.services import api_key as api_key_service
from app.services.api_key import Wanted

router = APIRouter(prefix="/api-keys", tags=["api keys"], route_class=ResourceRoute)

Whose = Annotated[
    str,
    Query(
        alias="user_id",
        pattern=r"^(me|all|[1-9][0-9]{0,14})$",
        description="`me`, or (for admins) the id of a user, or `all`.",
        examples=["me"],
    ),
]


def _owner(whose: str, user: User) -> int | None:
    """Whose keys are asked for; None for everybody's."""
    if whose in ("me", str(user.id)):
        return user.id
    if not user.may(Permission.ADMINISTER):
        raise ForbiddenError(
            "These are somebody else's; only an admin may see them.",
            needs=Permission.ADMINISTER.value,
        )
    return None if whose == "all" else int(whose)


@router.get("", response_model=PageRead[ApiKeyRead], responses=answers(401, 403, 422))
async def list_api_keys(
    user: CurrentUser, session: ReadSession, paging: Paging, whose: Whose = "me"
) -> dict[str, Any]:
    """List API keys, newest first, those that are over included. No secret is shown again."""
    return paging.shown(await crud_api_key.list_page(session, _owner(whose, user), paging.window))


@router.post(
    "",
    response_model=ApiKeyCreated,
    status_code=201,
    responses=answers(401, 403, 409, 413, 422) | replays(ApiKeyRead),
)
async def create_api_key(
    user: InPerson, session: WriteSession, body: ApiKeyCreate, now: Now, _: Once
) -> ApiKeyCreated:
    """Make a key with which a program acts as oneself, within its scopes.

    The answer shows it, this once. Send it as `Authorization: Bearer toc_…` or as `X-API-Key`.
    """
    wanted = Wanted(body.name, body.scopes, body.expires_at)
    made = await api_key_service.create(session, wanted, owner=user, now=now)
    shown = ApiKeyRead.model_validate(made.row)
    return ApiKeyCreated(**shown.model_dump(), key=made.secret)


@router.delete("/{api_key_id}", status_code=204, responses=answers(401, 403, 404, 422))
async def revoke_api_key(
    user: InPerson, session: WriteSession, api_key_id: KeyPath, now: Now
) -> Response:
    """Revoke a key of one's own, or anybody's for an admin: it opens nothing from now on."""
    await api_key_service.revoke(session, api_key_id, by=user, now=now)
    return Response(status_code=204)
