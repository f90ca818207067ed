"""Teams: who is in them and what they own.

A team's leads look after the team and what it owns, beside the admins. Who is deactivated or
deleted stays a member, is shown as such, and is never a target.
"""

from collections.abc import Collection

from app.crud import crud_team
from app.db.session import ReadSession


async def members(session: ReadSession, team_ids: Collection[int]) -> dict[int, list[int]]:
    """Of each of these teams the active people in it; one without any is left out."""
    return await crud_team.active_members(session, team_ids) if team_ids else {}
