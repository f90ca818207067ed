"""The links in account mails: make the account, set a new password.

Reading one changes nothing, because mail scanners follow links; its button acts, once.
"""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse
from pydantic import TypeAdapter, ValidationError

from app.api.bounds import BoundedRoute
from app.api.deps import FromAnybody, Now, ReadSession, ServiceDep, WriteSession
from app.api.grants import origin_of
from app.core.errors import ConflictError
from app.db.session import transaction_time
from app.domain.auth import ChallengePurpose
from app.domain.user import Role
from app.schemas.types import Password
from app.services import account as account_service
from app.services.account import LinkRefusedError
from app.web.templating import page

router = APIRouter(
    prefix="/account",
    include_in_schema=False,
    route_class=BoundedRoute,
    dependencies=[FromAnybody],
)

SIGNUP, RECOVERY = ChallengePurpose.SIGNUP, ChallengePurpose.RECOVERY
NEW_PASSWORD: TypeAdapter[Password] = TypeAdapter(Password)
TOO_SHORT = "A password has 8 to 200 characters. Choose another one."


@router.get("/signup/{token}")
async def show_signup(service: ServiceDep, session: ReadSession, token: str) -> HTMLResponse:
    return await _shown(service, session, SIGNUP, token)


@router.post("/signup/{token}")
async def sign_up(service: ServiceDep, session: WriteSession, now: Now, token: str) -> HTMLResponse:
    role = Role(service.settings.signup_role)
    try:
        user = await account_service.confirm_signup(session, token, service.signer, role, now=now)
    except LinkRefusedError:
        return _expired()
    except ConflictError as error:
        return page("account.html", status=409, purpose=SIGNUP, done=error.message, fault=None)
    return page("account.html", purpose=SIGNUP, done=f"Welcome, {user.display_name}.", fault=None)


@router.get("/reset/{token}")
async def show_reset(service: ServiceDep, session: ReadSession, token: str) -> HTMLResponse:
    return await _shown(service, session, RECOVERY, token)


@router.post("/reset/{token}")
async def reset(
    service: ServiceDep, request: Request, token: str, new_password: Annotated[str, Form()] = ""
) -> HTMLResponse:
    try:
        chosen = NEW_PASSWORD.validate_python(new_password).get_secret_value()
    except ValidationError:
        return page("account.html", status=422, purpose=RECOVERY, done=None, fault=TOO_SHORT)
    hashed = await service.passwords.hash(chosen)
    try:
        async with service.database.writing() as session:
            now = await transaction_time(session)
            await account_service.reset_password(
                session, token, hashed, service.signer, origin_of(request), now=now
            )
    except LinkRefusedError:
        return _expired()
    story = "Your new password is set, and every login from before has ended."
    return page("account.html", purpose=RECOVERY, done=story, fault=None)


async def _shown(
    service: ServiceDep, session: ReadSession, purpose: ChallengePurpose, token: str
) -> HTMLResponse:
    now = await transaction_time(session)
    if not await account_service.is_good(session, purpose, token, service.signer, now=now):
        return _expired()
    return page("account.html", purpose=purpose, done=None, fault=None)


def _expired() -> HTMLResponse:
    return page("account.html", status=404, purpose=None, done=None, fault=None)
