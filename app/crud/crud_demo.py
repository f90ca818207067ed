"""What the demo has made, what else there is, and the pages of stories that are long over."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, DateTime, bindparam, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert

from app.crud import base
from app.db.base_class import Base
from app.db.session import ReadSession, WriteSession
from app.models import (
    DemoMark,
    EscalationPolicy,
    HeartbeatMonitor,
    Incident,
    Integration,
    Schedule,
    Service,
    Team,
    User,
)

SEEDING = 6_203_718_845  # an advisory lock
# What people would miss, by the word for it.
THINGS: dict[str, type[Base]] = {
    "user": User,
    "team": Team,
    "schedule": Schedule,
    "service": Service,
    "policy": EscalationPolicy,
    "integration": Integration,
    "heartbeat": HeartbeatMonitor,
    "incident": Incident,
}


async def wait_for_others(session: WriteSession) -> None:
    """One demo is made at a time."""
    await session.execute(select(func.pg_advisory_xact_lock(SEEDING)))


async def marks(session: ReadSession) -> dict[tuple[str, str], int]:
    """Everything that the demo has made, by what it is there."""
    found = (await session.scalars(select(DemoMark))).all()
    return {(mark.resource, mark.name): mark.key for mark in found}


async def mark(session: WriteSession, resource: str, name: str, key: int) -> None:
    """Note that the demo has made this."""
    statement = insert(DemoMark).values(resource=resource, name=name, key=key)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["resource", "name"], set_={"key": statement.excluded.key}
        )
    )


async def unmark(session: WriteSession, resource: str) -> None:
    """Forget that the demo has made things of this kind."""
    statement = delete(DemoMark).where(DemoMark.resource == resource)
    await session.execute(statement.execution_options(synchronize_session=False))


async def count_others(session: ReadSession) -> dict[str, int]:
    """How much there is that the demo has not made, by the word for it."""
    counts = {}
    for resource, model in THINGS.items():
        key = model.__table__.c.id
        own = select(DemoMark.key).where(DemoMark.resource == resource)
        counts[resource] = await base.count(
            session, select(key).where(key.not_in(own)), base.Window(1)
        )
    return {resource: found for resource, (found, _) in counts.items() if found}


async def is_there(session: ReadSession, resource: str, key: int) -> bool:
    """Whether somebody has deleted it since."""
    model = THINGS[resource]
    columns = model.__table__.c
    statement = select(columns.id).where(columns.id == key)
    if "deleted_at" in columns:
        statement = statement.where(columns.deleted_at.is_(None))
    return (await session.scalars(statement)).one_or_none() is not None


_TOLD = text("""
    UPDATE notifications
    SET status = 'sent', ready_at = NULL, claimed_at = due_at + interval '1 second',
        sent_at = due_at + interval '2 seconds', attempts = 1, held_until = NULL,
        sent_to = coalesce(address, (SELECT email FROM users u WHERE u.id = user_id))
    WHERE incident_id = ANY(:incidents) AND status = 'pending' AND due_at <= :until
""").bindparams(
    bindparam("incidents", type_=ARRAY(BigInteger())),
    bindparam("until", type_=DateTime(timezone=True)),
)


async def tell(session: WriteSession, incident_ids: Collection[int], *, until: datetime) -> None:
    """Take what these incidents told up to then for sent: their story is made up, and so are the
    people. What comes later leaves like anything else."""
    await session.flush()  # what this transaction has changed counts
    await session.execute(_TOLD, {"incidents": list(incident_ids), "until": until})
