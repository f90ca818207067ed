"""What the first page asks of the whole installation at once: what has been set up."""

from sqlalchemy import text

from app.db.session import ReadSession

# Each looks for one row and stops.
_DONE = text("""
    SELECT
        EXISTS (SELECT FROM contact_methods WHERE user_id = :user_id AND verified_at IS NOT NULL)
            AS contact,
        EXISTS (SELECT FROM users WHERE id <> :user_id AND is_active) AS people,
        EXISTS (SELECT FROM schedules WHERE deleted_at IS NULL) AS schedule,
        EXISTS (SELECT FROM escalation_policies WHERE is_active) AS policy,
        EXISTS (SELECT FROM integrations WHERE is_active) AS integration,
        EXISTS (SELECT FROM incidents) AS incident
""")


async def set_up(session: ReadSession, user_id: int) -> dict[str, bool]:
    """Which of the first steps have been taken; a way to reach somebody is one's own."""
    found = (await session.execute(_DONE, {"user_id": user_id})).mappings().one()
    return {name: bool(value) for name, value in found.items()}
