"""The admin of a first start: without one nobody could make anybody."""

import secrets
from collections.abc import Callable

from app.core import source
from app.core.config import Settings
from app.core.security import Passwords
from app.db.session import Database, WriteSession, transaction_time
from app.domain.user import Role
from app.services import user as user_service


async def make_first_admin(
    settings: Settings, database: Database, choose: Callable[[], str]
) -> tuple[str, str] | None:
    """The first admin's login, to be shown once, if there was no user at all; `choose` says of
    which address."""
    async with database.reading() as session:
        if await user_service.anybody(session):
            return None
    email = choose()
    given = settings.first_admin_password
    password = given.get_secret_value() if given else secrets.token_urlsafe(12)
    hashed = await Passwords(settings.password_rounds).hash(password)
    new = user_service.NewUser(email=email, hashed_password=hashed, role=Role.ADMIN)

    async def create(session: WriteSession) -> bool:
        now = await transaction_time(session)
        return await user_service.create_first(session, new, now=now)

    with source.command("tocsin serve, the first start"):
        is_made = await database.write(create)
    if not is_made:
        return None
    return email, "as set in TOCSIN_FIRST_ADMIN_PASSWORD" if given else password
