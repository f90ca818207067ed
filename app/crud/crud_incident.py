"""Incidents: pages, locks, and the set-based statements of the ingest path.

One that was deleted is there for nobody: `get` and `lock` do not find it, lists leave it out.
Nor can it come up among the unresolved, because a constraint has it resolved. Only what says
so in its name (`lock_even_deleted`, `IncidentFilter.deleted`) knows of it. Lists of incidents
are in `crud_incident_list`.

Locking order, wherever several rows are held: incidents by id, then tallies by id. Alerts
that join an incident take its tally only, never the incident.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, bindparam, cast, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import joinedload, selectinload

from app.crud import base
from app.db import feed
from app.db.session import ReadSession, WriteSession
from app.domain.incident import AssignmentRole, IncidentStatus, TimelineType
from app.models import Incident, IncidentAssignment, IncidentComment, IncidentTally, TimelineEvent

NOW = bindparam("now", type_=DateTime(timezone=True))
SHOWN = (
    joinedload(Incident.tally),
    selectinload(Incident.assignments).joinedload(IncidentAssignment.user),
)


async def get(session: ReadSession, incident_id: int) -> Incident | None:
    """The incident with all that is shown of it."""
    return _unless_deleted(
        await session.get(Incident, incident_id, options=SHOWN, populate_existing=True)
    )


async def lock(session: WriteSession, incident_id: int) -> Incident | None:
    """The incident, held until commit, so that two responders cannot both win a race."""
    return _unless_deleted(await lock_even_deleted(session, incident_id))


async def lock_even_deleted(session: WriteSession, incident_id: int) -> Incident | None:
    return await base.lock(session, Incident, incident_id)


def _unless_deleted(incident: Incident | None) -> Incident | None:
    return incident if incident is not None and incident.deleted_at is None else None


async def lock_unresolved(session: WriteSession, ids: Collection[int]) -> Sequence[Incident]:
    """Those of `ids` that are unresolved once we hold them, in the order of their ids."""
    statement = (
        select(Incident)
        .where(Incident.id.in_(ids), Incident.status != IncidentStatus.RESOLVED)
        .order_by(Incident.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).all()


async def unresolved_in_group(
    session: ReadSession, integration_id: int, group_key: str
) -> dict[str, int]:
    """The unresolved incidents of a sender's group, by dedup key."""
    statement = select(Incident.dedup_key, Incident.id).where(
        Incident.integration_id == integration_id,
        Incident.group_key == group_key,
        Incident.status != IncidentStatus.RESOLVED,
    )
    return {key: incident for key, incident in (await session.execute(statement)).tuples() if key}


async def set_tally_open(
    session: WriteSession, incident_ids: Collection[int], *, is_open: bool
) -> None:
    """From here on alerts may join these incidents, or not."""
    held = (
        select(IncidentTally.incident_id)
        .where(IncidentTally.incident_id.in_(incident_ids))
        .order_by(IncidentTally.incident_id)
        .with_for_update()
        .cte("held")
    )
    await session.execute(
        update(IncidentTally)
        .where(IncidentTally.incident_id == held.c.incident_id)
        .values(is_open=is_open)
        .execution_options(synchronize_session=False)
    )


def entry(
    incident_id: int,
    kind: TimelineType,
    description: str,
    *,
    now: datetime,
    user_id: int | None = None,
    **facts: Any,
) -> dict[str, Any]:
    """A line for `tell`."""
    return {
        "incident_id": incident_id,
        "event_type": kind,
        "description": description,
        "user_id": user_id,
        "facts": facts,
        "created_at": now,
    }


_TELL = text(
    """
    WITH told AS (
        INSERT INTO timeline_events
            (incident_id, event_type, description, user_id, metadata, created_at)
        SELECT incident_id, event_type, description, user_id, facts, created_at
        FROM jsonb_to_recordset(CAST(:entries AS jsonb)) AS t(
            incident_id bigint, event_type text, description text, user_id bigint, facts jsonb,
            created_at timestamptz)
        RETURNING id, incident_id, event_type, description, user_id, created_at
    ){feed}""".replace("{feed}", feed.TOO)
)


async def tell(session: WriteSession, entries: Iterable[dict[str, Any]]) -> None:
    """Write timeline entries, in their order, and their share of the change feed."""
    rows = list(entries)
    if rows:
        await session.flush()  # the feed says how the incident is now
        await session.execute(_TELL, {"entries": json.dumps(rows, default=datetime.isoformat)})
        feed.after_commit(session)


async def timeline_page(
    session: ReadSession, incident_id: int, happened: base.Span, wanted: base.Window
) -> base.Slice[TimelineEvent]:
    """Oldest first: a story is read from its beginning."""
    statement = select(TimelineEvent).where(TimelineEvent.incident_id == incident_id)
    statement = happened.narrow(statement, TimelineEvent.created_at)
    return await base.window(session, statement, TimelineEvent.id, wanted, descending=False)


async def add_comment(session: WriteSession, comment: IncidentComment) -> IncidentComment:
    return await base.add(session, comment)


async def comment_page(
    session: ReadSession, incident_id: int, wanted: base.Window
) -> base.Slice[IncidentComment]:
    statement = select(IncidentComment).where(IncidentComment.incident_id == incident_id)
    return await base.window(session, statement, IncidentComment.id, wanted, descending=False)


async def assignment(
    session: ReadSession, incident_id: int, user_id: int
) -> IncidentAssignment | None:
    statement = select(IncidentAssignment).where(
        IncidentAssignment.incident_id == incident_id, IncidentAssignment.user_id == user_id
    )
    return (await session.scalars(statement)).one_or_none()


async def put_assignment(
    session: WriteSession,
    incident_id: int,
    user_id: int,
    role: AssignmentRole,
    *,
    by: int | None,
    now: datetime,
) -> None:
    """Assign somebody, or give somebody who is assigned already another role."""
    values = {"role": role, "assigned_by": by, "assigned_at": now}
    statement = (
        upsert(IncidentAssignment)
        .values(incident_id=incident_id, user_id=user_id, **values)
        .on_conflict_do_update(index_elements=["incident_id", "user_id"], set_=values)
    )
    await session.execute(statement)


async def remove_assignment(session: WriteSession, assignment: IncidentAssignment) -> None:
    await base.delete(session, assignment)


async def assignees(session: ReadSession, incident_ids: Collection[int]) -> dict[int, list[int]]:
    """Who works on these incidents, in the order they were assigned; observers only watch."""
    statement = (
        select(IncidentAssignment.incident_id, IncidentAssignment.user_id)
        .where(
            IncidentAssignment.incident_id.in_(incident_ids),
            IncidentAssignment.role != AssignmentRole.OBSERVER,
        )
        .order_by(IncidentAssignment.id)
    )
    found: dict[int, list[int]] = {}
    for incident_id, user_id in (await session.execute(statement)).tuples():
        found.setdefault(incident_id, []).append(user_id)
    return found


async def roles(session: ReadSession, incident_id: int) -> Sequence[tuple[int, AssignmentRole]]:
    """Who has an incident, and as what, in the order they were assigned."""
    statement = (
        select(IncidentAssignment.user_id, IncidentAssignment.role)
        .where(IncidentAssignment.incident_id == incident_id)
        .order_by(IncidentAssignment.id)
    )
    return (await session.execute(statement)).tuples().all()


async def started_by_hand(session: ReadSession, incident_id: int) -> set[int]:
    """The escalations that somebody put to work on an incident, whatever its policies ask for."""
    statement = select(cast(TimelineEvent.facts["started"].astext, BigInteger)).where(
        TimelineEvent.incident_id == incident_id,
        TimelineEvent.event_type == TimelineType.ESCALATED,
        TimelineEvent.facts.has_key("started"),
    )
    return set((await session.scalars(statement)).all())
