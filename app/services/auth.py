"""Who is who."""

from app.core.errors import UnauthorizedError
from app.core.security import Passwords
from app.models import User


class WrongCredentialsError(UnauthorizedError):
    """The same for an unknown address, a wrong password and a deactivated account."""

    code = "WRONG_CREDENTIALS"


async def prove(account: User | None, password: str, passwords: Passwords) -> User:
    """The account, if the password is its own and it is active; in the same time if it is not."""
    known = account is not None and account.is_active
    matches = await passwords.verify(
        password, account.hashed_password if known and account else None
    )
    if not matches or account is None:
        raise WrongCredentialsError("The mail address or the password is wrong.")
    return account
