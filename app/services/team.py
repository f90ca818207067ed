"""Teams: making and changing them, who is in them and what they own.

A team's leads look after the team and after what it owns, beside the admins. Who is deactivated
or deleted stays a member, is shown as such, and is never a target. A team is deleted only once
it owns nothing and no policy pages it.

Locking: whoever changes a team or its members holds the team's row; whoever gives it something
shares it. So what is given to a team that is being deleted is refused, and nothing is orphaned.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.core.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from app.crud import crud_target, crud_team, crud_user
from app.crud.crud_team import Member
from app.db.session import ReadSession, WriteSession
from app.domain.conditions import Fault
from app.domain.team import MOST_MEMBERS
from app.domain.user import Permission
from app.models import Team, User
from app.services import audit_log

MOST_NAMED = 10  # of each kind of what a team owns


class TeamNameTakenError(ConflictError):
    """Another team has this name, whatever its capitals."""

    code = "TEAM_NAME_TAKEN"


class TeamInUseError(ConflictError):
    """It owns something, or a policy pages it."""

    code = "TEAM_IN_USE"


class TooManyMembersError(ConflictError):
    """A page to the team is one to each of them."""

    code = "TOO_MANY_TEAM_MEMBERS"


class InvalidMembersError(InvalidInputError):
    """Somebody cannot be in the team; `details.errors` names each place."""

    code = "INVALID_TEAM_MEMBERS"


@dataclass(frozen=True)
class Wanted:
    """Somebody who shall be in a team."""

    user_id: int
    is_lead: bool


@dataclass(frozen=True)
class Roster:
    """Everybody in a team, as of a revision of it."""

    items: Sequence[Member]
    revision: int


async def require(session: ReadSession, team_id: int) -> Team:
    return _there(await crud_team.get(session, team_id), team_id)


async def create(session: WriteSession, fields: Mapping[str, Any], *, now: datetime) -> Team:
    """A team with nobody in it."""
    await crud_team.wait_for_other_names(session)
    await _require_free(session, fields["name"])
    return await crud_team.add(session, Team(**fields, revision=1, created_at=now, updated_at=now))


async def update(
    session: WriteSession, team_id: int, fields: Mapping[str, Any], *, by: User, now: datetime
) -> Team:
    """Write the named fields."""
    if "name" in fields:
        await crud_team.wait_for_other_names(session)
    await require_lead(session, by, [team_id])
    team = await _held(session, team_id)
    if "name" in fields:
        await _require_free(session, fields["name"], but=team_id)
    team.revise(fields, now=now)
    return team


async def remove(session: WriteSession, team_id: int) -> None:
    """Delete a team that owns nothing and that nobody pages."""
    team = await _held(session, team_id)
    owned = await crud_team.owned(session, team_id, most=MOST_NAMED)
    paging = await crud_target.using(session, team_id=team_id)
    if paging:
        owned["paged_by"] = paging[:MOST_NAMED]
    if owned:
        told = "; ".join(f"{kind.replace('_', ' ')}: {', '.join(owned[kind])}" for kind in owned)
        raise TeamInUseError(
            f"The team cannot be deleted before what hangs on it has somebody else ({told}).",
            **owned,
        )
    await crud_team.remove(session, team)


# --- Who may ----------------------------------------------------------------------------


async def require_lead(session: ReadSession, user: User, team_ids: Collection[int | None]) -> None:
    """Admins may; others only where every team that is concerned is led by them. What belongs to
    no team is the admins' alone."""
    if user.may(Permission.ADMINISTER):
        return
    owners = {team_id for team_id in team_ids if team_id is not None}
    if None not in team_ids and owners == await crud_team.led(session, user.id, owners):
        return
    raise ForbiddenError(
        "Only an admin or a lead of the owning team may do this; ask one of them.",
        needs=Permission.ADMINISTER.value,
    )


async def share(session: WriteSession, team_id: int) -> bool:
    """Keep a team there until commit, so that something can be given to it; False: it is gone."""
    return await crud_team.share(session, team_id)


# --- Who is in it -----------------------------------------------------------------------


async def members(session: ReadSession, team_ids: Collection[int]) -> dict[int, list[int]]:
    """Of each of these teams the active people in it; one without any is left out."""
    return await crud_team.active_members(session, team_ids) if team_ids else {}


async def roster(session: ReadSession, team_id: int) -> Roster:
    """Everybody in a team; who is deactivated, too."""
    team = await require(session, team_id)
    return Roster(await crud_team.members(session, team_id), team.revision)


async def replace_members(
    session: WriteSession, team_id: int, wanted: Sequence[Wanted], *, by: User, now: datetime
) -> Roster:
    """Have these people in the team and nobody else."""
    await require_lead(session, by, [team_id])
    team = await _held(session, team_id)
    before = await crud_team.members(session, team_id)
    await _require_people(session, wanted, {member.user.id for member in before})
    here = {one.user_id for one in wanted}
    gone = [member.user.id for member in before if member.user.id not in here]
    await crud_team.remove_members(session, team_id, gone)
    return await _put(session, team, wanted, before, now=now)


async def put_member(
    session: WriteSession, team_id: int, wanted: Wanted, *, by: User, now: datetime
) -> Roster:
    """Have this person in the team, as a lead or not; who is in it already stays."""
    await require_lead(session, by, [team_id])
    team = await _held(session, team_id)
    before = await crud_team.members(session, team_id)
    known = {member.user.id for member in before}
    await _require_people(session, [wanted], known, path="user_id")
    if len(known | {wanted.user_id}) > MOST_MEMBERS:
        raise TooManyMembersError(f"A team has {MOST_MEMBERS} people at most.")
    return await _put(session, team, [wanted], before, now=now)


async def remove_member(
    session: WriteSession, team_id: int, user_id: int, *, by: User, now: datetime
) -> None:
    """Have this person no longer in the team. Everybody may leave a team of their own accord."""
    if user_id != by.id:
        await require_lead(session, by, [team_id])
    team = await _held(session, team_id)
    before = await crud_team.members(session, team_id)
    if user_id not in {member.user.id for member in before}:
        raise NotFoundError("team member", user_id)
    await crud_team.remove_members(session, team_id, [user_id])
    await _told(session, team, before, now=now)


async def _put(
    session: WriteSession,
    team: Team,
    wanted: Sequence[Wanted],
    before: Sequence[Member],
    *,
    now: datetime,
) -> Roster:
    people = {one.user_id: one.is_lead for one in wanted}
    await crud_team.put_members(session, team.id, people, now=now)
    return await _told(session, team, before, now=now)


async def _told(
    session: WriteSession, team: Team, before: Sequence[Member], *, now: datetime
) -> Roster:
    after = await crud_team.members(session, team.id)
    was, new = ([_named(member) for member in some] for some in (before, after))
    if was != new:
        team.touch(now)
        await audit_log.note(
            session,
            "team.members_changed",
            team.id,
            before={"members": was},
            after={"members": new},
            now=now,
        )
    return Roster(after, team.revision)


def _named(member: Member) -> dict[str, Any]:
    return {"user_id": member.user_id, "is_lead": member.is_lead}


async def _require_people(
    session: ReadSession, wanted: Sequence[Wanted], known: Collection[int], path: str | None = None
) -> None:
    # Who was in it before may stay; somebody new must be able to take part.
    users = await crud_user.by_ids(session, {one.user_id for one in wanted})
    found = []
    for number, one in enumerate(wanted):
        user = users.get(one.user_id)
        place = path or f"members[{number}].user_id"
        if user is None or (user.deleted_at is not None and user.id not in known):
            found.append(Fault(place, f"names user {one.user_id}, who does not exist"))
        elif not user.is_active and user.id not in known:
            found.append(Fault(place, f"names {user.display_name}, who is deactivated"))
    if found:
        raise InvalidMembersError(
            f"The team cannot be saved: {found[0].path} {found[0].message}.",
            errors=[{"path": fault.path, "message": fault.message} for fault in found],
        )


async def _require_free(session: ReadSession, name: str, *, but: int | None = None) -> None:
    other = await crud_team.by_name(session, name)
    if other is not None and other.id != but:
        raise TeamNameTakenError(
            f"There is a team “{other.name}” already; take another name.", field="name"
        )


async def _held(session: WriteSession, team_id: int) -> Team:
    return _there(await crud_team.lock(session, team_id), team_id)


def _there(team: Team | None, team_id: int) -> Team:
    if team is None:
        raise NotFoundError("team", team_id)
    return team
