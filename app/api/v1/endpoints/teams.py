"""Teams: who looks after what, together."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from app.api.deps import Admin, KeyPath, Now, Reader, ReadSession, Responder, WriteSession
from app.api.errors import answers
from app.api.etags import CONDITIONAL, NOT_MODIFIED, Edited, IfMatch
from app.api.idempotency import Once, replays
from app.api.paging import PageQuery, paged
from app.api.resource_route import ResourceRoute
from app.core.paging import BIGGEST_KEY
from app.crud import crud_team
from app.crud.crud_team import TeamFilter, TeamOrder
from app.models import Team
from app.schemas.base import PageRead
from app.schemas.team import (
    MembersWrite,
    MemberWrite,
    RosterRead,
    TeamCreate,
    TeamRead,
    TeamUpdate,
)
from app.services import team as team_service
from app.services.team import Roster, Wanted

router = APIRouter(prefix="/teams", tags=["catalogue"], route_class=ResourceRoute)

TeamPaging = Annotated[PageQuery, Depends(paged(TeamOrder, TeamOrder.ID))]
EDITED = Edited(crud_team.lock, team_service.require, TeamRead)
EDITED_ROSTER = Edited(crud_team.lock, team_service.roster, RosterRead)


@router.get("", response_model=PageRead[TeamRead], responses=answers(401, 422))
async def list_teams(
    session: ReadSession,
    paging: TeamPaging,
    _: Reader,
    search: Annotated[
        str | None, Query(min_length=1, max_length=100, description="A part of the name.")
    ] = None,
    user_id: Annotated[
        int | None, Query(ge=1, le=BIGGEST_KEY, description="Only those this user is in.")
    ] = None,
) -> dict[str, Any]:
    """List teams, in the order they were made."""
    where = TeamFilter(search, user_id)
    return paging.shown(await crud_team.list_page(session, where, paging.window))


@router.post(
    "",
    response_model=TeamRead,
    status_code=201,
    responses=answers(401, 403, 409, 413, 422) | replays(TeamRead),
)
async def create_team(
    session: WriteSession, body: TeamCreate, now: Now, _: Admin, once: Once
) -> Team:
    """Make a team. Nobody is in it yet."""
    return await team_service.create(session, body.model_dump(), now=now)


@router.get(
    "/{team_id}",
    response_model=TeamRead,
    responses=answers(401, 404, 422) | NOT_MODIFIED,
    dependencies=CONDITIONAL,
)
async def read_team(session: ReadSession, team_id: KeyPath, _: Reader) -> Team:
    """Read one team."""
    return await team_service.require(session, team_id)


@router.patch(
    "/{team_id}", response_model=TeamRead, responses=answers(401, 403, 404, 409, 412, 413, 422)
)
async def update_team(
    session: WriteSession,
    team_id: KeyPath,
    body: TeamUpdate,
    now: Now,
    user: Responder,
    expected: IfMatch,
) -> Team:
    """Change the named fields. For admins and the team's leads."""
    await expected.hold(EDITED, session, team_id)
    fields = body.model_dump(exclude_unset=True)
    return await team_service.update(session, team_id, fields, by=user, now=now)


@router.delete("/{team_id}", status_code=204, responses=answers(401, 403, 404, 409, 412, 422))
async def delete_team(
    session: WriteSession, team_id: KeyPath, _: Admin, expected: IfMatch
) -> Response:
    """Delete a team. One that owns something, or that a policy pages, stays: 409 says what."""
    await expected.hold(EDITED, session, team_id)
    await team_service.remove(session, team_id)
    return Response(status_code=204)


@router.get(
    "/{team_id}/members",
    response_model=RosterRead,
    responses=answers(401, 404, 422) | NOT_MODIFIED,
    dependencies=CONDITIONAL,
)
async def list_team_members(session: ReadSession, team_id: KeyPath, _: Reader) -> Roster:
    """List everybody in a team, 500 people at most: whoever is deactivated is shown as such."""
    return await team_service.roster(session, team_id)


@router.put(
    "/{team_id}/members",
    response_model=RosterRead,
    responses=answers(401, 403, 404, 412, 413, 422),
)
async def replace_team_members(
    session: WriteSession,
    team_id: KeyPath,
    body: MembersWrite,
    now: Now,
    user: Responder,
    expected: IfMatch,
) -> Roster:
    """Say who is in a team, whole. For admins and the team's leads."""
    await expected.hold(EDITED_ROSTER, session, team_id)
    wanted = [Wanted(member.user_id, member.is_lead) for member in body.members]
    return await team_service.replace_members(session, team_id, wanted, by=user, now=now)


@router.post(
    "/{team_id}/members",
    response_model=RosterRead,
    status_code=201,
    responses=answers(401, 403, 404, 409, 413, 422) | replays(RosterRead),
)
async def add_team_member(
    session: WriteSession,
    team_id: KeyPath,
    body: MemberWrite,
    now: Now,
    user: Responder,
    once: Once,
) -> Roster:
    """Add somebody to a team, or say of a member whether they lead it. For admins and leads."""
    wanted = Wanted(body.user_id, body.is_lead)
    return await team_service.put_member(session, team_id, wanted, by=user, now=now)


@router.delete(
    "/{team_id}/members/{user_id}",
    status_code=204,
    responses=answers(401, 403, 404, 412, 422),
)
async def remove_team_member(
    session: WriteSession,
    team_id: KeyPath,
    user_id: KeyPath,
    now: Now,
    user: Responder,
    expected: IfMatch,
) -> Response:
    """Take somebody out of a team: oneself, or anybody for admins and the team's leads."""
    await expected.hold(EDITED_ROSTER, session, team_id)
    await team_service.remove_member(session, team_id, user_id, by=user, now=now)
    return Response(status_code=204)
