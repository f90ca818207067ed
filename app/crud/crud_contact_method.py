"""Contact methods: always looked for among those of one person."""

from collections.abc import Collection, Sequence

from sqlalchemy import select

from app.crud import base
from app.db.session import ReadSession, WriteSession
from app.models import ContactMethod


async def of_user(session: ReadSession, user_id: int) -> Sequence[ContactMethod]:
    """Everything a person can be reached at, in the order it was added."""
    statement = (
        select(ContactMethod)
        .where(ContactMethod.user_id == user_id)
        .order_by(ContactMethod.id)
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).all()


async def verified_owners(session: ReadSession, user_ids: Collection[int]) -> set[int]:
    """Those of these people who have shown that some address is theirs."""
    statement = (
        select(ContactMethod.user_id)
        .where(ContactMethod.user_id.in_(user_ids), ContactMethod.verified_at.is_not(None))
        .distinct()
    )
    return set((await session.scalars(statement)).all())


async def get(session: ReadSession, user_id: int, contact_method_id: int) -> ContactMethod | None:
    """A contact method of this person's; somebody else's is none."""
    method = await base.get(session, ContactMethod, contact_method_id)
    return method if method is not None and method.user_id == user_id else None


async def remove(session: WriteSession, method: ContactMethod) -> None:
    """Forget an address. Its rules and codes go with it; what was sent there stays on record."""
    await base.delete(session, method)
