"""Checks before the night: what is set up is read, looked at, and what is new is told.

The looking itself is `domain.checks`. Once a day one replica does it for the whole installation:
it takes the day's row, looks, and keeps what it found in one transaction with the mail about what
is new. If it vanishes in between, another takes over, and nothing was told.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from app.crud import crud_preflight, crud_schedule, crud_user
from app.db.session import Database, ReadSession, WriteSession, transaction_time
from app.domain import schedule as engine
from app.domain.checks import AHEAD, findings, people_wanted
from app.domain.finding import Finding, Gravity, Hole, Rota, SetUp
from app.domain.notification import Channel, NotificationKind
from app.domain.timeline import Interval
from app.services import outbox
from app.services.outbox import Letter

LOOP = "preflight"  # the loop that looks once a day
HOUR = 12  # in UTC, when a hole can still be closed before the night in most places
AT_ONCE = 500  # schedules loaded together
MOST_TOLD = 20  # in one mail
SOON = timedelta(minutes=1)


@dataclass(frozen=True)
class Standing:
    """A finding, and since when the nightly checks have known it; None: they do not yet."""

    finding: Finding
    since: datetime | None


@dataclass(frozen=True)
class Report:
    """What a look came to."""

    checked_at: datetime
    last_run_at: datetime | None
    found: Sequence[Standing]


async def report(
    session: ReadSession, unconfigured: Collection[Channel], *, now: datetime
) -> Report:
    """Look now, and say of each hole since when it is known."""
    found = await look(session, unconfigured, now=now)
    known = await crud_preflight.standing(session)
    return Report(
        now,
        await crud_preflight.last_run(session),
        [Standing(one, known.get((one.code, one.place))) for one in found],
    )


async def look(
    session: ReadSession, unconfigured: Collection[Channel], *, now: datetime
) -> list[Finding]:
    """All holes in what is set up now, the gravest first."""
    during = Interval(now, now + AHEAD)
    names = await crud_preflight.schedules(session)
    policies = await crud_preflight.policies(session)
    services = await crud_preflight.services(session)
    teams = await crud_preflight.teams(session)
    beyond = [
        what
        for what, things in (
            ("schedules", names),
            ("policies", policies),
            ("services", services),
            ("teams", teams),
        )
        if len(things) > crud_preflight.MOST
    ]
    rotas = await rotas_of(session, names, during)
    admins = await crud_preflight.admins(session)
    setup = SetUp(
        during,
        rotas,
        policies,
        services,
        teams,
        {},
        admins,
        await crud_preflight.failing_calendars(session),
        await crud_preflight.silent_monitors(session, now=now),
        unconfigured,
    )
    wanted = await asyncio.to_thread(people_wanted, setup)
    people = await crud_user.recipients(session, wanted | admins)
    found = await asyncio.to_thread(findings, replace(setup, people=people))
    return [*map(_too_much, beyond), *found]


async def rotas_of(session: ReadSession, names: Mapping[int, str], during: Interval) -> list[Rota]:
    """Who is on call by these schedules, which are given with their names."""
    ids = list(names)
    found: list[Rota] = []
    for first in range(0, len(ids), AT_ONCE):
        part = ids[first : first + AT_ONCE]
        loaded = await crud_schedule.load(session, part, during=during)

        # So long a calculation must not hold up whoever else is answered by this process.
        def render(loaded: dict[int, engine.Schedule] = loaded) -> list[Rota]:
            return [
                Rota(number, names[number], engine.render(schedule, during))
                for number, schedule in loaded.items()
            ]

        found += await asyncio.to_thread(render)
    return found


def _too_much(what: str) -> Finding:
    return Finding(
        Hole.TOO_MUCH_TO_CHECK,
        what,
        Gravity.WARNING,
        f"There are more than {crud_preflight.MOST:,} {what}; only the first were looked at.",
        f"Delete {what} that nobody needs any more.",
        "/v1/preflight",
    )


# --- Once a day


async def due(session: ReadSession, *, now: datetime) -> timedelta | date:
    """The day whose run is to be made now, or how long until there is one."""
    noon = now.replace(hour=HOUR, minute=0, second=0, microsecond=0)
    if now < noon:
        return noon - now
    if await crud_preflight.is_open(session, now.date(), now=now):
        return now.date()
    return noon + timedelta(days=1) - now


async def run(database: Database, day: date, unconfigured: Collection[Channel]) -> bool:
    """Make the run of a day, unless somebody else does; whether it was made here."""

    async def take(session: WriteSession) -> bool:
        return await crud_preflight.claim(session, day, now=await transaction_time(session))

    if not await database.write(take):
        return False
    async with database.reading() as session:
        found = await look(session, unconfigured, now=await transaction_time(session))

    async def keep(session: WriteSession) -> None:
        now = await transaction_time(session)
        await crud_preflight.keep(session, found, now=now)
        await _tell(session, now=now)
        await crud_preflight.finish(session, day, len(found), now=now)

    await database.write(keep)
    return True


async def _tell(session: WriteSession, *, now: datetime) -> None:
    """Write to every admin about what nobody was told of yet, the gravest first."""
    news = await crud_preflight.tell(session, now=now)
    if not news:
        return
    order = list(Gravity)
    gravest = sorted(news, key=lambda one: (order.index(one.severity), one.id))
    facts = {
        "new": len(news),
        "findings": [f"{one.message} {one.fix}" for one in gravest[:MOST_TOLD]],
    }
    for admin in await crud_user.active_admins(session):
        letter = Letter(
            NotificationKind.PREFLIGHT,
            Channel.EMAIL,
            user_id=admin.id,
            address=admin.email,
            facts=facts,
        )
        await outbox.post(session, letter, now=now)
