"""Teams and who is in them. Whoever changes a team or its members holds the team's row."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from app.crud import base
from app.db.session import ReadSession, WriteSession
from app.models import EscalationPolicy, Schedule, Service, Team, TeamMember, User

NAMING = 6_104_982_377  # an advisory lock


class TeamOrder(StrEnum):
    ID = "id"
    NAME = "name"
    CREATED_AT = "created_at"
    UPDATED_AT = "updated_at"


ORDERS: base.Orders = {
    TeamOrder.NAME: func.lower(Team.name),
    TeamOrder.CREATED_AT: Team.created_at,
    TeamOrder.UPDATED_AT: Team.updated_at,
}


@dataclass(frozen=True)
class TeamFilter:
    """Which teams; an empty field does not narrow. `search` is a part of a name."""

    search: str | None = None
    user_id: int | None = None


async def get(session: ReadSession, team_id: int) -> Team | None:
    return await base.get(session, Team, team_id)


async def lock(session: WriteSession, team_id: int) -> Team | None:
    """The team, held until commit."""
    return await base.lock(session, Team, team_id)


async def by_name(session: ReadSession, name: str) -> Team | None:
    """The team of this name; case does not matter."""
    statement = select(Team).where(func.lower(Team.name) == func.lower(name))
    return (await session.scalars(statement)).one_or_none()


async def by_ids(session: ReadSession, ids: Collection[int]) -> dict[int, Team]:
    """Those of these teams that exist."""
    found = await session.scalars(select(Team).where(Team.id.in_(ids)))
    return {team.id: team for team in found}


async def list_page(
    session: ReadSession, where: TeamFilter, wanted: base.Window
) -> base.Slice[Team]:
    """In the order in which they were made, unless another is wanted."""
    statement = select(Team)
    if where.search is not None:
        statement = statement.where(Team.name.icontains(where.search, autoescape=True))
    if where.user_id is not None:
        mine = select(TeamMember.team_id).where(TeamMember.user_id == where.user_id)
        statement = statement.where(Team.id.in_(mine))
    return await base.window(session, statement, Team.id, wanted, descending=False, orders=ORDERS)


async def add(session: WriteSession, team: Team) -> Team:
    return await base.add(session, team)


async def remove(session: WriteSession, team: Team) -> None:
    """Remove a team that owns nothing but schedules that are deleted themselves."""
    await session.execute(
        update(Schedule)
        .where(Schedule.team_id == team.id, Schedule.deleted_at.is_not(None))
        .values(team_id=None)
        .execution_options(synchronize_session=False)
    )
    await base.delete(session, team)


async def share(session: WriteSession, team_id: int) -> bool:
    """Whether there is such a team; if so it stays there until commit."""
    statement = select(Team.id).where(Team.id == team_id).with_for_update(read=True)
    return await session.scalar(statement) is not None


async def wait_for_other_names(session: WriteSession) -> None:
    """Until commit nobody else names a team."""
    await session.execute(select(func.pg_advisory_xact_lock(NAMING)))


# --- Who is in them ---------------------------------------------------------------------


@dataclass(frozen=True)
class Member:
    """Somebody in a team, and who that is."""

    user: User
    is_lead: bool
    created_at: datetime

    @property
    def user_id(self) -> int:
        return self.user.id

    @property
    def is_deleted(self) -> bool:
        return self.user.deleted_at is not None


async def members(session: ReadSession, team_id: int) -> Sequence[Member]:
    """Everybody in a team, in the order of their ids; who is deactivated, too."""
    statement = (
        select(User, TeamMember.is_lead, TeamMember.created_at)
        .join(TeamMember, TeamMember.user_id == User.id)
        .where(TeamMember.team_id == team_id)
        .order_by(User.id)
    )
    return [Member(*row) for row in (await session.execute(statement)).tuples()]


async def active_members(session: ReadSession, team_ids: Collection[int]) -> dict[int, list[int]]:
    """Of each of these teams the active people in it, in the order of their ids."""
    statement = (
        select(TeamMember.team_id, TeamMember.user_id)
        .join(User, User.id == TeamMember.user_id)
        .where(TeamMember.team_id.in_(team_ids), User.is_active)
        .order_by(TeamMember.team_id, TeamMember.user_id)
    )
    found: dict[int, list[int]] = defaultdict(list)
    for team_id, user_id in (await session.execute(statement)).tuples():
        found[team_id].append(user_id)
    return dict(found)


async def led(session: ReadSession, user_id: int, team_ids: Collection[int]) -> set[int]:
    """Those of these teams that this person leads."""
    statement = select(TeamMember.team_id).where(
        TeamMember.user_id == user_id, TeamMember.team_id.in_(team_ids), TeamMember.is_lead
    )
    return set((await session.scalars(statement)).all())


async def put_members(
    session: WriteSession, team_id: int, people: dict[int, bool], *, now: datetime
) -> None:
    """Have these people in the team, each a lead or not. The caller holds the team."""
    if not people:
        return
    rows = [
        {"team_id": team_id, "user_id": user_id, "is_lead": is_lead, "created_at": now}
        for user_id, is_lead in sorted(people.items())
    ]
    statement = upsert(TeamMember).values(rows)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[TeamMember.team_id, TeamMember.user_id],
            set_={"is_lead": statement.excluded.is_lead},
        )
    )


async def remove_members(session: WriteSession, team_id: int, user_ids: Collection[int]) -> None:
    """Have these people no longer in the team. The caller holds the team."""
    await session.execute(
        delete(TeamMember)
        .where(TeamMember.team_id == team_id, TeamMember.user_id.in_(user_ids))
        .execution_options(synchronize_session=False)
    )


# --- What they own ----------------------------------------------------------------------


async def owned(session: ReadSession, team_id: int, *, most: int) -> dict[str, list[str]]:
    """What a team owns, by kind: the names of up to `most` of each."""
    found = {}
    for kind, name, is_theirs in (
        ("services", Service.name, Service.team_id == team_id),
        ("policies", EscalationPolicy.name, EscalationPolicy.team_id == team_id),
        (
            "schedules",
            Schedule.name,
            (Schedule.team_id == team_id) & Schedule.deleted_at.is_(None),
        ),
    ):
        statement = select(name).where(is_theirs).order_by(name).limit(most)
        names = (await session.scalars(statement)).all()
        if names:
            found[kind] = list(names)
    return found
