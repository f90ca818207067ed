"""What the demo has made, what else there is, and the pages of stories that are long over."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, DateTime, bindparam, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert

from app.crud import base
from app.db.base_class import Base
from app.db.session import ReadSession, WriteSession
from app.models import (
    Calendar,
    ComponentGroup,
    CustomField,
    DemoMark,
    EscalationPolicy,
    HeartbeatMonitor,
    Incident,
    IncidentTemplate,
    Integration,
    PublicIncident,
    PublicMaintenance,
    Schedule,
    Service,
    StatusComponent,
    StatusPage,
    Subscriber,
    SubscriberImport,
    Team,
    User,
    WebhookSubscription,
)

SEEDING = 6_203_718_845  # an advisory lock
PAGE = 1  # the status page's one row
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
PUBLIC: dict[str, type[Base]] = {
    "component": StatusComponent,
    "component_group": ComponentGroup,
    "public_maintenance": PublicMaintenance,
}
AROUND: dict[str, type[Base]] = {
    "calendar": Calendar,
    "incident_template": IncidentTemplate,
    "custom_field": CustomField,
    "webhook": WebhookSubscription,
    "subscriber": Subscriber,
    "subscriber_import": SubscriberImport,
    "digest": User,  # who gets one
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
    model = (THINGS | PUBLIC | AROUND)[resource]
    columns = model.__table__.c
    statement = select(columns.id).where(columns.id == key)
    for gone_at in ("deleted_at", "withdrawn_at"):
        if gone_at in columns:
            statement = statement.where(columns[gone_at].is_(None))
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


async def is_page_ours(session: ReadSession) -> bool:
    """Whether the status page is untouched, or shows nothing but what the demo has made."""
    marked = select(DemoMark.key).where(DemoMark.resource == "status_page")
    if (await session.scalars(marked)).first() is None:
        return (await session.scalars(select(StatusPage.id))).first() is None
    theirs = [
        select(model.id).where(
            model.id.not_in(select(DemoMark.key).where(DemoMark.resource == resource))
        )
        for resource, model in (
            ("component", StatusComponent),
            ("public_maintenance", PublicMaintenance),
        )
    ]
    theirs[0] = theirs[0].where(StatusComponent.deleted_at.is_(None))
    theirs[1] = theirs[1].where(PublicMaintenance.withdrawn_at.is_(None))
    theirs.append(select(PublicIncident.id).where(PublicIncident.withdrawn_at.is_(None)))
    for statement in theirs:
        if (await session.scalars(statement.limit(1))).first() is not None:
            return False
    return True


async def begin_page(session: WriteSession, *, at: datetime) -> bool:
    """Let the page begin at this time; False if it is not the demo's to do so."""
    if not await is_page_ours(session):
        return False
    statement = insert(StatusPage).values(id=PAGE, changed_at=at)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["id"], set_={"changed_at": statement.excluded.changed_at}
        )
    )
    return True
