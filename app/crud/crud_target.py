"""What targets name: services with their schedules, schedules and teams; and who names them.

A handful of statements, however many steps ask.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import Boolean, cast, func, select
from sqlalchemy.dialects.postgresql import JSONPATH

from app.crud import crud_schedule
from app.db.session import ReadSession, WriteSession
from app.domain.duty import AHEAD, Crew, Duty, Rota
from app.domain.target import OF_SERVICE, Target
from app.domain.timeline import Interval
from app.models import EscalationPolicy, Schedule, Service, Team, TeamMember, User


async def duty(session: ReadSession, wanted: Iterable[tuple[Target, str]], *, at: datetime) -> Duty:
    """Everything that decides whom these targets mean at an instant, each for a service."""
    pairs = list(wanted)
    names = {service for target, service in pairs if target.kind in OF_SERVICE}
    by_name = await services(session, names)
    schedules = {target.schedule_id for target, _ in pairs} | set(by_name.values())
    teams = {target.team_id for target, _ in pairs}
    return Duty(
        at,
        await _rotas(session, schedules - {None}, at),
        await _crews(session, teams - {None}),
        by_name,
    )


async def services(session: ReadSession, names: Collection[str]) -> dict[str, int | None]:
    """Of those of them that are in the catalogue, their schedule."""
    if not names:
        return {}
    statement = select(Service.name, Service.schedule_id).where(Service.name.in_(names))
    return dict((await session.execute(statement)).tuples().all())


async def _rotas(
    session: ReadSession, ids: Collection[int | None], at: datetime
) -> dict[int, Rota]:
    known = [schedule_id for schedule_id in ids if schedule_id is not None]
    if not known:
        return {}
    loaded = await crud_schedule.load(session, known, during=Interval(at, at + AHEAD))
    names = await _schedule_names(session, loaded)
    return {key: Rota(names[key], schedule) for key, schedule in loaded.items()}


async def _schedule_names(session: ReadSession, ids: Collection[int]) -> dict[int, str]:
    statement = select(Schedule.id, Schedule.name).where(Schedule.id.in_(ids))
    return dict((await session.execute(statement)).tuples().all())


async def _crews(session: ReadSession, ids: Collection[int | None]) -> dict[int, Crew]:
    if not ids:
        return {}
    statement = (
        select(Team.id, Team.name, TeamMember.user_id, User.is_active)
        .outerjoin(TeamMember, TeamMember.team_id == Team.id)
        .outerjoin(User, User.id == TeamMember.user_id)
        .where(Team.id.in_(ids))
        .order_by(Team.id, TeamMember.user_id)
    )
    names: dict[int, str] = {}
    people: dict[int, list[tuple[int, bool]]] = defaultdict(list)
    for team_id, name, user_id, is_active in (await session.execute(statement)).tuples():
        names[team_id] = name
        if user_id is not None:
            people[team_id].append((user_id, is_active))
    return {
        team_id: Crew(
            name,
            tuple(user_id for user_id, is_active in people[team_id] if is_active),
            bool(people[team_id]),
        )
        for team_id, name in names.items()
    }


async def missing(
    session: WriteSession, *, schedules: Collection[int] = (), teams: Collection[int] = ()
) -> set[tuple[str, int]]:
    """Which of these schedules and teams there are not, each with what it would be; those that
    are there cannot be deleted before the caller's commit."""
    gone = {("schedule", key) for key in schedules} | {("team", key) for key in teams}
    for word, statement in (
        ("schedule", select(Schedule.id).where(Schedule.deleted_at.is_(None))),
        ("team", select(Team.id)),
    ):
        wanted = sorted(key for named, key in gone if named == word)
        if wanted:
            key = Schedule.id if word == "schedule" else Team.id
            held = statement.where(key.in_(wanted)).order_by(key).with_for_update(read=True)
            gone -= {(word, there) for there in await session.scalars(held)}
    return gone


async def using(
    session: ReadSession, *, schedule_id: int | None = None, team_id: int | None = None
) -> list[str]:
    """The names of the policies whose steps name this schedule or team as a target, also of
    those that are switched off: whoever switches them on again asks nobody."""
    word, key = ("schedule", schedule_id) if team_id is None else ("team", team_id)
    path = f"$[*].actions[*].target ? (@.{word} == $id)"
    named = func.jsonb_path_exists(
        EscalationPolicy.steps,
        cast(path, JSONPATH),
        func.jsonb_build_object("id", key),
        type_=Boolean(),
    )
    statement = select(EscalationPolicy.name).where(named).order_by(EscalationPolicy.id)
    return list((await session.scalars(statement)).all())
