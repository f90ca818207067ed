"""At the doors of accounts: what the API and the pages do alike before anybody is let in.

Passwords are hashed and checked outside any transaction: that takes long, and would hold a
connection.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

from fastapi import Request

from app.api.client import client_of
from app.api.state import Service
from app.api.throttling import count, no_sooner_than
from app.crud import crud_user
from app.db.session import WriteSession, transaction_time
from app.domain.throttle import (
    RECOVERY_PER_ADDRESS,
    RECOVERY_PER_CLIENT,
    SIGNUP_PER_ADDRESS,
    SIGNUP_PER_CLIENT,
    login_quotas,
)
from app.models import User
from app.schemas.auth import Credentials, RecoveryRequest, SignupRequest
from app.services import account as account_service
from app.services import auth as auth_service
from app.services import throttle
from app.services.account import SignupClosedError
from app.services.auth import WrongCredentialsError

T = TypeVar("T")
Begin = Callable[[WriteSession, User, datetime], Awaitable[T]]
SAME_TIME = 0.1  # seconds, whoever asks


async def sign_in(
    service: Service, request: Request, credentials: Credentials, begin: Begin[T]
) -> T:
    """Let somebody in who has the right password; what `begin` makes of it.

    A try is counted before it is judged. One that succeeds counts for nothing.
    """
    settings = service.settings
    account_quota, client_quota = login_quotas(
        settings.login_failures_per_account, settings.login_failures_per_address
    )
    for_account = [(account_quota, credentials.username.lower())]
    from_client = [(client_quota, client_of(request))]
    await count(service, [*for_account, *from_client])
    async with service.database.reading() as session:
        account = await crud_user.by_email(session, credentials.username)
    password = credentials.password.get_secret_value()
    try:
        user = await auth_service.prove(account, password, service.passwords)
    except WrongCredentialsError:
        async with service.database.writing() as session:
            now = await transaction_time(session)
            await auth_service.note_failure(session, account, now=now)
        raise

    async def work(session: WriteSession) -> T:
        now = await transaction_time(session)
        await throttle.forget(session, for_account)
        await throttle.give_back(session, from_client)
        return await begin(session, user, now)

    return await service.database.write(work)


async def ask_for_account(service: Service, request: Request, wanted: SignupRequest) -> None:
    """Send the mail that makes an account, if people may make their own."""
    if not service.settings.signup_is_open:
        raise SignupClosedError("Accounts are made by admins here; ask one of them.")
    tries = [(SIGNUP_PER_ADDRESS, wanted.email.lower()), (SIGNUP_PER_CLIENT, client_of(request))]
    await count(service, tries)
    async with no_sooner_than(SAME_TIME):
        hashed = await service.passwords.hash(wanted.password.get_secret_value())
        signup = account_service.Signup(wanted.email, hashed, wanted.full_name, wanted.time_zone)
        async with service.database.writing() as session:
            await account_service.sign_up(session, signup, now=await transaction_time(session))


async def ask_for_recovery(service: Service, request: Request, wanted: RecoveryRequest) -> None:
    """Send the mail that sets a new password, if there is somebody to send it to."""
    tries = [
        (RECOVERY_PER_ADDRESS, wanted.email.lower()),
        (RECOVERY_PER_CLIENT, client_of(request)),
    ]
    await count(service, tries)
    async with no_sooner_than(SAME_TIME), service.database.writing() as session:
        await account_service.recover(session, wanted.email, now=await transaction_time(session))
