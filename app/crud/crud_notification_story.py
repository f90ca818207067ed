"""What stands elsewhere about messages, and whom steps did not page: a statement each."""

from collections.abc import Collection
from dataclasses import replace

from sqlalchemy import ARRAY, BigInteger, RowMapping, bindparam, text

from app.db.session import ReadSession
from app.domain.notification_story import Circumstances, NotPaged, Resend
from app.models import Notification

KEYS = ARRAY(BigInteger())
MOST_TOLD_WITH = 200
MOST_RESENDS = 500
MOST_NOT_PAGED = 200

_AROUND = text("""
    SELECT n.id, coalesce(nullif(u.full_name, ''), u.email) AS user_name, e.policy_name,
        coalesce(e.is_fallback, false) AS is_fallback, e.held_until AS storm_until, i.snoozed_until,
        ARRAY(SELECT f.id FROM notifications f WHERE f.bundled_into = n.id
            ORDER BY f.id LIMIT :most) AS told_with
    FROM notifications n
    LEFT JOIN users u ON u.id = n.user_id
    LEFT JOIN escalations e ON e.id = n.escalation_id
    LEFT JOIN incidents i ON i.id = n.incident_id
    WHERE n.id = ANY(:ids)
""").bindparams(
    bindparam("ids", type_=KEYS), bindparam("most", type_=BigInteger())
)  # fmt: skip

_RESENDS = text("""
    SELECT CAST(t.metadata->>'notification_id' AS bigint) AS id, t.created_at, t.description
    FROM timeline_events t
    WHERE t.incident_id = ANY(:incidents) AND t.event_type = 'notification_resent'
        AND CAST(t.metadata->>'notification_id' AS bigint) = ANY(:ids)
    ORDER BY t.id LIMIT :most
""").bindparams(
    bindparam("incidents", type_=KEYS),
    bindparam("ids", type_=KEYS),
    bindparam("most", type_=BigInteger()),
)


async def circumstances(
    session: ReadSession, notifications: Collection[Notification]
) -> dict[int, Circumstances]:
    """What else there is to tell of these messages, in two statements at most."""
    ids = [one.id for one in notifications]
    found = await session.execute(_AROUND, {"ids": ids, "most": MOST_TOLD_WITH})
    around = {row["id"]: _circumstances(row) for row in found.mappings()}
    for key, resends in (await _resends(session, notifications)).items():
        around[key] = replace(around[key], resends=tuple(resends))
    return around


def _circumstances(row: RowMapping) -> Circumstances:
    own = ("user_name", "policy_name", "is_fallback", "storm_until", "snoozed_until")
    return Circumstances(told_with=tuple(row["told_with"]), **{name: row[name] for name in own})


async def _resends(
    session: ReadSession, notifications: Collection[Notification]
) -> dict[int, list[Resend]]:
    """Who had them sent again, as the timelines have it."""
    again = {
        one.id: one.incident_id
        for one in notifications
        if one.is_resend and one.incident_id is not None
    }
    told: dict[int, list[Resend]] = {}
    if again:
        parameters = {
            "ids": list(again),
            "incidents": sorted(set(again.values())),
            "most": MOST_RESENDS,
        }
        for key, at, story in (await session.execute(_RESENDS, parameters)).tuples():
            told.setdefault(key, []).append(Resend(at, story))
    return told


_NOT_PAGED = text("""
    SELECT * FROM (
        SELECT v.id, s.turn, u.id AS user_id,
            coalesce(nullif(u.full_name, ''), u.email, 'Somebody') AS name, e.policy_name,
            v.loop, v.step, v.triggered_at AS at, s.one->>'reason' AS reason
        FROM escalation_events v
        JOIN escalations e ON e.id = v.escalation_id
        CROSS JOIN LATERAL jsonb_path_query(v.metadata, 'lax $.skipped[*]')
            WITH ORDINALITY AS s(one, turn)
        LEFT JOIN users u ON u.id = CAST(s.one->>'user_id' AS bigint)
        WHERE v.incident_id = :incident_id AND s.one->>'reason' IS NOT NULL
        ORDER BY v.id DESC, s.turn DESC
        LIMIT :most
    ) newest
    ORDER BY id, turn
""").bindparams(
    bindparam("incident_id", type_=BigInteger()), bindparam("most", type_=BigInteger())
)  # fmt: skip


async def not_paged(session: ReadSession, incident_id: int) -> list[NotPaged]:
    """Whom the steps of an incident did not page and why, the newest so many, oldest first."""
    parameters = {"incident_id": incident_id, "most": MOST_NOT_PAGED}
    found = (await session.execute(_NOT_PAGED, parameters)).mappings()
    own = ("user_id", "name", "policy_name", "loop", "step", "at", "reason")
    return [NotPaged(**{name: row[name] for name in own}) for row in found]
