"""Incidents as the API shows them: with their tallies, and with who works on each.

Rows come plain, without objects, because they are read far more often than anything else. On a
list PostgreSQL writes them as JSON, in the words of `IncidentRead`, to which a test holds it: to
make objects of fifty rows, to check what came from our own tables, and to write them as JSON
again would take longer than all the rest of the request.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ARRAY, BigInteger, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from app.db.session import ReadSession

# Written out, because to put it together would take longer than to run it.
_READ_SQL = text("""
    SELECT i.id, i.title, i.description, i.status, i.severity, i.urgency, i.service,
        i.source, i.url, i.tags, i.labels, i.is_drill, i.custom_fields, i.integration_id,
        i.dedup_key, i.created_by, i.assigned_to, i.acknowledged_at, i.acknowledged_by,
        i.resolved_at, i.resolved_by,
        i.snoozed_until, i.deleted_at, i.deleted_by, i.revision, i.created_at, i.updated_at,
        t.alert_count, t.last_alert_at,
        (
            SELECT jsonb_agg(jsonb_build_object('user_id', a.user_id, 'role', a.role,
                'assigned_at', a.assigned_at, 'user', jsonb_build_object(
                    'display_name', coalesce(nullif(u.full_name, ''), u.email))) ORDER BY a.id)
            FROM incident_assignments a JOIN users u ON u.id = a.user_id
            WHERE a.incident_id = i.id
        ) AS assignments
    FROM incidents i LEFT JOIN incident_tallies t ON t.incident_id = i.id
    WHERE i.id = :id
""")
_READ = _READ_SQL.columns(labels=JSONB, custom_fields=JSONB, assignments=JSONB)


def _instant(column: str) -> str:
    """A time as `schemas.base.Instant` writes it: in UTC, whole seconds without a fraction."""
    written = f"to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
    return f"replace({written}, '.000000Z', 'Z')"


# Of the incident that `page.key` names.
AS_JSON = f"""(
    SELECT row_to_json(shown)::text FROM (
        SELECT i.id, i.title, i.description, i.status, i.severity, i.urgency, i.service,
            i.source, i.url, i.tags, i.labels, i.is_drill, i.custom_fields, i.integration_id,
            i.dedup_key, i.created_by, i.assigned_to,
            coalesce((
                SELECT json_agg(json_build_object('user_id', a.user_id,
                    'name', coalesce(nullif(u.full_name, ''), u.email), 'role', a.role,
                    'assigned_at', {_instant("a.assigned_at")}) ORDER BY a.id)
                FROM incident_assignments a JOIN users u ON u.id = a.user_id
                WHERE a.incident_id = i.id
            ), '[]') AS assignments,
            t.alert_count, {_instant("t.last_alert_at")} AS last_alert_at,
            {_instant("i.acknowledged_at")} AS acknowledged_at, i.acknowledged_by,
            {_instant("i.resolved_at")} AS resolved_at, i.resolved_by,
            {_instant("i.snoozed_until")} AS snoozed_until,
            {_instant("i.deleted_at")} AS deleted_at, i.deleted_by, i.revision,
            {_instant("i.created_at")} AS created_at, {_instant("i.updated_at")} AS updated_at
        FROM incidents i LEFT JOIN incident_tallies t ON t.incident_id = i.id
        WHERE i.id = page.key
    ) shown
)"""  # noqa: S608  # nothing in it comes from outside
_MANY = text(f"""
    SELECT {AS_JSON} FROM unnest(CAST(:ids AS bigint[])) WITH ORDINALITY AS page (key, turn)
    ORDER BY turn
""").bindparams(bindparam("ids", type_=ARRAY(BigInteger)))  # noqa: S608


async def read(session: ReadSession, incident_id: int) -> dict[str, Any] | None:
    """One incident, for `IncidentRead`; None where nobody sees it."""
    found = await row(session, incident_id)
    return None if found is None or found["deleted_at"] is not None else found


async def row(session: ReadSession, incident_id: int) -> dict[str, Any] | None:
    """The same, deleted or not."""
    found = (await session.execute(_READ, {"id": incident_id})).mappings().one_or_none()
    if found is None:
        return None
    return {**found, "tally": found, "assignments": found["assignments"] or []}


async def as_json(session: ReadSession, ids: Sequence[int]) -> Sequence[str]:
    """Each of these incidents as the API shows it, in this order."""
    return (await session.scalars(_MANY, {"ids": ids})).all() if ids else []
