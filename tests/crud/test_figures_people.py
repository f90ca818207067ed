"""Pages by the clocks of people: the statement says what a reader of each page would say."""

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.crud import crud_figures, crud_figures_people
from app.crud.crud_figures import FiguresFilter
from app.domain.figures import ahead
from app.domain.timeline import Interval
from tests.world import World

# Ahead and behind, by halves and quarters of an hour, with clocks that change by an hour, by half
# an hour, and never; and one that was moved for good.
ZONES = (
    *("Europe/Berlin", "America/New_York", "America/St_Johns", "Asia/Kathmandu", "Asia/Kolkata"),
    *("Australia/Lord_Howe", "Pacific/Chatham", "Pacific/Kiritimati", "UTC", "Asia/Pyongyang"),
)
YEARS = {2026: (2026, 3, 8, 17, 25), 2018: (2018, 2, 1, 0, 0)}  # from the middle of an hour, too
CHANGES = {  # of those clocks, in these years
    2026: ("2026-03-08T07:00", "2026-03-08T17:25", "2026-03-29T01:00", "2026-04-04T14:00",
           "2026-04-04T15:00", "2026-10-03T15:30", "2026-10-25T01:00", "2026-11-01T04:30",
           "2026-11-01T06:00"),
    2018: ("2018-05-04T15:00", "2018-10-28T01:00"),
}  # fmt: skip
SENT = """
    INSERT INTO notifications (kind, incident_id, escalation_id, loop, step, action, recipient,
        rule, channel, user_id, status, due_at, claimed_at, sent_at)
    SELECT 'page', e.incident_id, e.id, turn, 0, 0, 'user:' || who, 0, 'email', who, 'sent',
        at, at, at
    FROM (SELECT * FROM escalations ORDER BY id LIMIT 1) e,
        unnest(CAST(:people AS bigint[]), CAST(:times AS timestamptz[]))
            WITH ORDINALITY AS page(who, at, turn)
"""


def by_hand(pages: list[tuple[int, datetime]], zones: dict[int, str]) -> dict[int, tuple[int, ...]]:
    """Pages, interruptions, those at night and on weekends, and hours of sleep, of each person."""
    counted: dict[int, int] = defaultdict(int)
    quarters: dict[int, set[tuple[datetime, timedelta | None]]] = defaultdict(set)
    for who, at in pages:
        counted[who] += 1
        local = at.astimezone(ZoneInfo(zones[who]))
        quarter = local.replace(tzinfo=None, second=0, microsecond=0)
        quarter -= timedelta(minutes=quarter.minute % 15)
        # An hour that a clock has twice has eight quarters.
        quarters[who].add((quarter, local.utcoffset()))
    told = {}
    for who, came in quarters.items():
        night = [one for one, _ in came if one.hour >= 22 or one.hour < 7]
        weekend = [one for one, _ in came if one.isoweekday() >= 6]
        hours = {one.replace(minute=0) for one in night}
        told[who] = (counted[who], len(came), len(night), len(weekend), len(hours))
    return told


def some_pages(chance: random.Random, year: int, people: list[int]) -> list[tuple[int, datetime]]:
    begin, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    changes = [datetime.fromisoformat(one).replace(tzinfo=UTC) for one in CHANGES[year]]
    pages = []
    for _ in range(1500):
        at = begin + (end - begin) * chance.random()
        if chance.random() < 0.7:
            at = chance.choice(changes) + timedelta(minutes=chance.randint(-180, 180))
        pages.append((chance.choice(people), at.replace(microsecond=0)))
    return pages


@pytest.mark.parametrize("year", YEARS)
async def test_pages_are_counted_by_everybodys_own_clock(world: World, year: int) -> None:
    admin = await world.admin()
    await world.policy(admin, [(60, {"user": admin.id})])
    await world.declare(admin)
    zones: dict[int, str] = {}
    for n, zone in enumerate(ZONES):
        zones[(await world.person(f"p{n}@example.org", time_zone=zone)).id] = zone
    pages = some_pages(random.Random(year), year, list(zones))
    told: dict[str, Any] = {"people": [who for who, _ in pages], "times": [at for _, at in pages]}
    await world.sql(SENT, **told)
    during = Interval(datetime(*YEARS[year], tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC))
    where = FiguresFilter(during)
    async with world.database.reading() as session:
        await crud_figures.prepare(session)
        clocks = {zone: ahead(zone, during) for zone in {*ZONES, "UTC"}}
        found = await crud_figures_people.paged(session, where, clocks)
    quickly = {
        one.user_id: (one.pages, one.interruptions, one.at_night, one.on_weekends, one.sleep_hours)
        for one in found
    }
    within = [(who, at) for who, at in pages if during.starts_at <= at < during.ends_at]
    assert len(within) < len(pages)
    assert quickly == by_hand(within, zones)
