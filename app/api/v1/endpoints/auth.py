"""Logging in."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.datastructures import UploadFile

from app.api.bounds import BoundedRoute
from app.api.deps import ServiceDep
from app.api.errors import answers
from app.crud import crud_user
from app.db.session import transaction_time
from app.schemas.auth import Credentials, TokenRead
from app.services import auth as auth_service

router = APIRouter(prefix="/auth", tags=["auth"], route_class=BoundedRoute)

BODIES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": Credentials.model_json_schema(),
                "example": {"username": "ana@example.org", "password": "correct horse"},
            },
            "application/x-www-form-urlencoded": {
                "schema": {
                    **Credentials.model_json_schema(),
                    "additionalProperties": True,
                    "title": "OAuth2 password form",
                }
            },
        },
    }
}


async def _credentials(request: Request) -> Credentials:
    """JSON, or the OAuth2 password form that Swagger UI sends, whose other fields are ignored."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if content_type == "application/x-www-form-urlencoded":
            form = await request.form()
            given = {
                name: value
                for name in Credentials.model_fields
                if (value := form.get(name)) is not None and not isinstance(value, UploadFile)
            }
            return Credentials.model_validate(given)
        return Credentials.model_validate_json(await request.body())
    except ValidationError as error:
        faults = [
            {**fault, "loc": ("body", *fault["loc"])}
            for fault in error.errors(include_input=False, include_context=False)
        ]
        raise RequestValidationError(faults) from None


@router.post(
    "/login/access-token",
    response_model=TokenRead,
    responses=answers(401, 413, 422),
    openapi_extra=BODIES,
)
async def log_in(
    service: ServiceDep, credentials: Annotated[Credentials, Depends(_credentials)]
) -> dict[str, Any]:
    """Trade mail address and password for a bearer token.

    Takes JSON, or the OAuth2 password form. A wrong password and an unknown address get the
    same answer.
    """
    # The password is checked outside any transaction: that takes long, and holds no connection.
    async with service.database.reading() as session:
        account = await crud_user.by_email(session, credentials.username)
        now = await transaction_time(session)
    password = credentials.password.get_secret_value()
    user = await auth_service.prove(account, password, service.passwords)
    life = service.settings.access_token_life
    async with service.database.writing() as writing:
        grant = await auth_service.begin(
            writing, user, auth_service.Origin(), life=timedelta(days=30), now=now
        )
    token = service.signer.access_token(user.id, grant.session_id, now=now, life=life)
    return {
        "access_token": token,
        "token_type": "bearer",
        "expires_in": int(life.total_seconds()),
    }
