"""Logging in, staying in, logging out; signing up, and coming back after a forgotten password.

The doors that strangers may knock at. Passwords are hashed and checked outside any transaction:
that takes long, and would hold a connection.
"""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.datastructures import UploadFile

from app.api.bounds import BoundedRoute
from app.api.deps import (
    CurrentSession,
    CurrentUser,
    InPerson,
    KeyPath,
    Now,
    Paging,
    ReadSession,
    ServiceDep,
    WriteSession,
)
from app.api.documented import NAMED_REQUEST
from app.api.errors import answers
from app.api.grants import granted, origin_of
from app.api.signing_in import ask_for_account, ask_for_recovery, sign_in
from app.crud import crud_auth
from app.db.session import WriteSession as Writing
from app.db.session import transaction_time
from app.domain.throttle import login_quotas
from app.domain.user import Role
from app.models import User
from app.schemas.auth import (
    Credentials,
    LinkRequest,
    LogoutRequest,
    RecoveryRequest,
    RefreshRequest,
    ResetRequest,
    SentRead,
    SessionRead,
    SignupRequest,
    TokenRead,
)
from app.schemas.base import PageRead
from app.schemas.user import UserRead
from app.services import account as account_service
from app.services import auth as auth_service
from app.services import throttle
from app.services import user as user_service
from app.services.auth import Grant, RefreshRefusedError

router = APIRouter(prefix="/auth", tags=["auth"], route_class=BoundedRoute)

BODIES: dict[str, Any] = {
    "parameters": [NAMED_REQUEST],
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
                },
                "example": {"username": "ana@example.org", "password": "correct horse"},
            },
        },
    },
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
    responses=answers(401, 413, 422, 429),
    openapi_extra=BODIES,
)
async def log_in(
    service: ServiceDep,
    request: Request,
    credentials: Annotated[Credentials, Depends(_credentials)],
) -> dict[str, Any]:
    """Trade mail address and password for an access token and a refresh token.

    Takes JSON, or the OAuth2 password form. A wrong password and an unknown address get the
    same answer; too many of them, from one place or for one account, have to wait.
    """

    async def begin(session: Writing, user: User, now: datetime) -> Grant:
        return await auth_service.begin(
            session,
            user,
            user.hashed_password,
            origin_of(request),
            life=service.settings.refresh_token_life,
            now=now,
        )

    return granted(service, await sign_in(service, request, credentials, begin))


@router.post("/login/test-token", response_model=UserRead, responses=answers(401))
async def test_token(user: CurrentUser) -> User:
    """Whose access token this is, if it is still good."""
    return user


@router.post("/refresh", response_model=TokenRead, responses=answers(401, 413, 422))
async def refresh_token(service: ServiceDep, body: RefreshRequest) -> dict[str, Any]:
    """Trade a refresh token for the next pair.

    Each is good once. One that comes a second time was stolen from somebody: the whole login
    ends, for the thief and for its owner.
    """

    async def refresh(session: Writing) -> Grant | RefreshRefusedError:
        now = await transaction_time(session)
        life = service.settings.refresh_token_life
        return await auth_service.refresh(session, body.refresh_token, life=life, now=now)

    outcome = await service.database.write(refresh)
    if isinstance(outcome, RefreshRefusedError):
        raise outcome
    return granted(service, outcome)


@router.post("/logout", status_code=204, responses=answers(401, 403, 413, 422))
async def log_out(
    user: CurrentUser,
    session_id: CurrentSession,
    session: WriteSession,
    now: Now,
    body: LogoutRequest | None = None,
) -> Response:
    """End this login, or every login of the account. Its tokens are good for nothing at once."""
    everywhere = body is not None and body.everywhere
    await auth_service.end(session, user.id, session_id, everywhere=everywhere, now=now)
    return Response(status_code=204)


@router.get("/sessions", response_model=PageRead[SessionRead], responses=answers(401, 403, 422))
async def list_sessions(
    user: CurrentUser, session_id: CurrentSession, session: ReadSession, paging: Paging
) -> dict[str, Any]:
    """Where this account is or was logged in, newest first."""
    shown = paging.shown(await crud_auth.session_page(session, user.id, paging.window))
    shown["items"] = [
        SessionRead.model_validate(
            {**vars(login), "is_current": login.id == session_id}, from_attributes=False
        )
        for login in shown["items"]
    ]
    return shown


@router.delete("/sessions/{session_id}", status_code=204, responses=answers(401, 403, 422))
async def end_session(
    user: InPerson, session: WriteSession, session_id: KeyPath, now: Now
) -> Response:
    """End one login of this account; one that is over, or somebody else's, stays as it is."""
    await auth_service.end(session, user.id, session_id, everywhere=False, now=now)
    return Response(status_code=204)


@router.post(
    "/signup", response_model=SentRead, status_code=202, responses=answers(403, 413, 422, 429)
)
async def sign_up(service: ServiceDep, request: Request, body: SignupRequest) -> dict[str, str]:
    """Ask for an account. A link comes by mail; following it makes the account.

    The answer is the same whether or not the address has an account already.
    """
    await ask_for_account(service, request, body)
    return {"message": "If this address can have an account, a mail with a link is on its way."}


@router.post(
    "/signup/confirm",
    response_model=UserRead,
    status_code=201,
    responses=answers(409, 413, 422),
)
async def confirm_signup(
    service: ServiceDep, session: WriteSession, body: LinkRequest, now: Now
) -> User:
    """Make the account that the link in the mail stands for. Then log in."""
    role = Role(service.settings.signup_role)
    made = await account_service.confirm_signup(session, body.token, service.signer, role, now=now)
    return await user_service.require(session, made.id)


@router.post(
    "/password-recovery",
    response_model=SentRead,
    status_code=202,
    responses=answers(413, 422, 429),
)
async def recover_password(
    service: ServiceDep, request: Request, body: RecoveryRequest
) -> dict[str, str]:
    """Ask for a link that sets a new password. It comes by mail and is good for 30 minutes.

    The answer is the same whether or not there is such an account.
    """
    await ask_for_recovery(service, request, body)
    return {"message": "If there is an account for this address, a mail is on its way."}


@router.post("/reset-password", response_model=UserRead, responses=answers(413, 422))
async def reset_password(service: ServiceDep, request: Request, body: ResetRequest) -> User:
    """Set a new password with the link from the mail. Every login of the account ends."""
    hashed = await service.passwords.hash(body.new_password.get_secret_value())
    account_quota, _ = login_quotas(service.settings.login_failures_per_account, 1)
    async with service.database.writing() as session:
        now = await transaction_time(session)
        user = await account_service.reset_password(
            session, body.token, hashed, service.signer, origin_of(request), now=now
        )
        await throttle.forget(session, [(account_quota, user.email.lower())])
        return await user_service.require(session, user.id)
