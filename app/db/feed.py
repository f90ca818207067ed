"""The change feed's share of whatever writes to a timeline.

No resource of its own in `crud`, because each of them that tells a story writes its events in
the same statement as the story: there is no change without its event, and no event without
its change.
"""

from app.db.session import WriteSession, wake_after_commit
from app.domain.event import RELAY, TOLD_AS

# Ends a statement that has put entries on timelines under the name `told`. Of incidents that
# were there before it; one that the same statement makes is not seen here. Each is looked up by
# itself: a plan from the days when there were few incidents would read all that there are now.
TOO = """
    INSERT INTO events (type, incident_id, service, severity, data, created_at)
    SELECT k.type, i.id, i.service, i.severity, jsonb_build_object(
        'incident_id', i.id, 'title', i.title, 'entry', t.event_type,
        'description', t.description, 'user_id', t.user_id, 'is_drill', i.is_drill), t.created_at
    FROM told t
    JOIN (VALUES {kinds}) AS k(entry, type) ON k.entry = t.event_type
    CROSS JOIN LATERAL (SELECT * FROM incidents WHERE id = t.incident_id LIMIT 1) i
    ORDER BY t.id
""".replace(
    "{kinds}", ", ".join(f"('{entry}', '{kind}')" for entry, kind in TOLD_AS.items() if kind)
)


def after_commit(session: WriteSession) -> None:
    """Once this transaction has committed, let its events have their places at once."""
    wake_after_commit(session, RELAY)
