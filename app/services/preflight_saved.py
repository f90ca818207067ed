"""What the checks before the night say of one thing that was just saved: of the thing itself, of
whom it pages, and of what pages by it. They cost what it touches, not what there is."""

import asyncio
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from app.crud import crud_preflight, crud_schedule_list, crud_user
from app.db.session import ReadSession
from app.domain import checks
from app.domain.checks import AHEAD
from app.domain.finding import Finding, Hole, SetUp
from app.domain.notification import Channel
from app.domain.timeline import Interval
from app.services.preflight import rotas_of

MOST_OTHERS = 100  # schedules that are looked at for who is on call by two at once


async def of_schedule(
    session: ReadSession, schedule_id: int, unconfigured: Collection[Channel], *, now: datetime
) -> list[Finding]:
    """Its gaps, whoever of its people cannot be paged or is on call elsewhere at the same time,
    and the steps that page by it and reach nobody."""
    during = Interval(now, now + AHEAD)
    mine = await rotas_of(session, await crud_preflight.schedules(session, [schedule_id]), during)
    people = {one for rota in mine for each in rota.stretches for one in each.people}
    by_it = await crud_schedule_list.policies_by(session, schedule_id)
    setup = await _set_up(session, during, by_it, unconfigured)
    others = await crud_schedule_list.of_people(session, people, since=now, limit=MOST_OTHERS)
    more = others - {schedule_id} - {rota.id for rota in setup.rotas}
    rest = await rotas_of(session, await crud_preflight.schedules(session, more), during)
    known = [rota for rota in setup.rotas if rota.id != schedule_id]
    whole = replace(setup, rotas=sorted([*mine, *known, *rest], key=lambda rota: rota.id))
    found = await _look(session, whole)
    return [one for one in found if _is_about(one, schedule_id, people)]


def _is_about(finding: Finding, schedule_id: int, people: Collection[int]) -> bool:
    kind, number, *rest = finding.place.split(":")
    if finding.code == Hole.ON_TWO_SCHEDULES:
        return str(schedule_id) in rest[1].split(",")
    if kind == "user":
        return int(number) in people
    return kind == "policy" or finding.place == f"schedule:{schedule_id}"


async def of_policy(
    session: ReadSession, policy_id: int, unconfigured: Collection[Channel], *, now: datetime
) -> list[Finding]:
    """Whether it can match and reach somebody, and the holes of whom and what it names."""
    setup = await _set_up(session, Interval(now, now + AHEAD), [policy_id], unconfigured)
    return await _look(session, setup)


async def of_service(session: ReadSession, service_id: int, *, now: datetime) -> list[Finding]:
    """Whether a policy is for it, and whether that has a schedule to page by."""
    services = await crud_preflight.services(session, [service_id])
    policies = await crud_preflight.policies(session)
    return checks.of_services(
        SetUp(Interval(now, now + AHEAD), services=services, policies=policies)
    )


async def _set_up(
    session: ReadSession,
    during: Interval,
    policy_ids: Collection[int],
    unconfigured: Collection[Channel],
) -> SetUp:
    """These policies, and all that they name."""
    policies = await crud_preflight.policies(session, policy_ids)
    named = await crud_preflight.schedules(session, checks.schedules_wanted(policies))
    return SetUp(
        during,
        await rotas_of(session, named, during),
        policies,
        teams=await crud_preflight.teams(session, checks.teams_wanted(policies)),
        admins=await crud_preflight.admins(session),
        unconfigured=unconfigured,
    )


async def _look(session: ReadSession, setup: SetUp) -> list[Finding]:
    wanted = checks.people_wanted(setup) | {*setup.admins}
    people = await crud_user.recipients(session, wanted)
    return await asyncio.to_thread(checks.findings, replace(setup, people=people))
