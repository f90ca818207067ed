"""What has happened, and what is happening: told by the same services as anything real.

A story that is over is one transaction: it opens, pages, is answered and ends before any loop can
see it, so nothing of it is ever sent. What goes on is left to the loops.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from app.crud import crud_alert, crud_demo, crud_escalation, crud_incident
from app.db.session import WriteSession
from app.demo.around import REGIONS
from app.demo.cast import (
    CARDS,
    CHECKOUT,
    IMAGES,
    PAYMENTS,
    PEOPLE,
    PLATFORM,
    SEARCH,
    SUN,
    TROUBLES,
    Trouble,
)
from app.demo.public import Public
from app.demo.scene import HISTORY, TOOL, Scene
from app.domain.incident import IncidentStatus, Opening
from app.domain.integration import AlertOutcome
from app.domain.user import Actor
from app.models import Incident
from app.services import fire_drill, incident_people, ladder
from app.services import incident as incident_service
from app.services import maintenance_window as maintenance_window_service
from app.services import schedule_override as schedule_override_service
from app.services import user as user_service

SEED = 1_311  # the same weeks each time
MOST_A_DAY = 3
LATELY = timedelta(minutes=1)
QUIET_BEFORE_NOW = timedelta(hours=6)
TEAM_OF = {CHECKOUT: PAYMENTS, CARDS: PAYMENTS, SEARCH: PLATFORM, IMAGES: PLATFORM}
STEPS = (timedelta(), timedelta(minutes=5), timedelta(minutes=15))  # of a policy of the demo


@dataclass(frozen=True)
class Plot:
    """One incident: what went wrong when, and how long people took."""

    trouble: Trouble
    at: datetime
    answer: timedelta | None = None  # None: nobody has yet
    cure: timedelta | None = None


def plots(scene: Scene) -> Iterator[Plot]:
    """The weeks behind, in order; nights have fewer, and nobody is as quick."""
    chance = Random(SEED)  # noqa: S311  # no secret
    begin = scene.now - HISTORY
    at: list[datetime] = []
    for day in range(HISTORY.days):
        for _ in range(chance.randint(1, MOST_A_DAY)):
            hour = chance.choice((*range(24), *range(8, 20), *range(8, 20)))
            minute = chance.randrange(60)
            at.append(begin + timedelta(days=day, hours=hour, minutes=minute))
    for moment in sorted(at):
        trouble = chance.choice(TROUBLES)
        answer = timedelta(minutes=min(40.0, 1 + chance.lognormvariate(1.0, 0.8)))
        cure = timedelta(minutes=trouble.usual_minutes * chance.uniform(0.4, 2.2))
        if moment + answer + cure < scene.now - QUIET_BEFORE_NOW:
            yield Plot(trouble, moment, answer, cure)


def scenes_of_now(scene: Scene) -> tuple[Plot, Plot]:
    """One that somebody works on, and one that nobody has answered yet."""
    search = next(one for one in TROUBLES if one.service == SEARCH)
    cards = next(one for one in TROUBLES if one.service == CARDS)
    taken = Plot(search, scene.now - timedelta(minutes=52), timedelta(minutes=3))
    return taken, Plot(cards, scene.now - timedelta(minutes=7))


async def play(scene: Scene, plot: Plot, public: Public) -> int:
    """Open an incident, page for it, and let people answer and end it as the plot has it."""
    session, trouble = scene.session, plot.trouble
    number = await _open(scene, plot)
    answered_at = scene.now if plot.answer is None else plot.at + plot.answer
    await _climb(session, number, plot.at, answered_at)
    await crud_demo.tell(session, [number], until=answered_at)
    if plot.answer is not None:
        actor = await _who(scene, number)
        await incident_service.change_status(
            session, number, IncidentStatus.ACKNOWLEDGED, actor=actor, now=answered_at
        )
        is_live = plot.cure is None
        is_told = public.is_told(trouble, plot.at) or (is_live and public.is_open)
        if is_live:
            await _say(
                scene, number, actor, "On it. A node of the index is out of disk.", answered_at
            )
        if is_told:
            await public.begin(number, trouble, tells=is_live, actor=actor, now=answered_at)
            half = answered_at + (plot.cure or scene.now - answered_at) / 2
            await public.go_on(number, trouble, tells=is_live, actor=actor, now=half)
        if plot.cure is not None:
            over_at = answered_at + plot.cure
            await _say(scene, number, actor, trouble.cure, over_at)
            if is_told:
                await public.end(number, trouble, actor=actor, now=over_at)
            await incident_service.change_status(
                session, number, IncidentStatus.RESOLVED, actor=actor, now=over_at
            )
        else:
            words = "The volume of `search-3` has grown; **1.1 million** messages to catch up with."
            await _say(scene, number, await _actor(scene, "Liam Chen"), words, scene.now - LATELY)
    else:
        words = "Support has had 40 calls since this began, all of them about Visa."
        await _say(scene, number, await _actor(scene, PEOPLE[0].name), words, scene.now - LATELY)
    await crud_demo.tell(session, [number], until=scene.now)
    await crud_demo.mark(session, "incident", str(number), number)
    return number


async def _say(scene: Scene, number: int, actor: Actor, words: str, at: datetime) -> None:
    await incident_people.comment(scene.session, number, words, actor=actor, now=at)


async def _actor(scene: Scene, name: str) -> Actor:
    person = await scene.person(name)
    return Actor(person.display_name, person.id)


async def _open(scene: Scene, plot: Plot) -> int:
    trouble = plot.trouble
    region = REGIONS[trouble.service in (SEARCH, IMAGES)]
    opening = Opening(
        title=trouble.title,
        description=trouble.words,
        severity=trouble.severity,
        service=trouble.service,
        source=trouble.source,
        tags=("demo",),
        labels={"cluster": f"{region}-1", "team": TEAM_OF[trouble.service].lower()},
        custom_fields={"region": region},
        integration_id=scene.of("integration", TOOL),
        dedup_key=f"{trouble.service}:{trouble.title}",
        alert_count=1,
        story=f"An alert from “{TOOL}” opened the incident.",
    )
    opened = await incident_service.open_many(scene.session, [opening], now=plot.at)
    await _alert(scene, plot, opening, opened[opening.uid])
    return opened[opening.uid]


async def _alert(scene: Scene, plot: Plot, opening: Opening, number: int) -> None:
    """What the tool sent."""
    said = {
        "title": opening.title,
        "description": opening.description,
        "severity": opening.severity,
        "service": opening.service,
        "source": opening.source,
        "labels": opening.labels,
        "dedup_key": opening.dedup_key,
    }
    body = json.dumps(said, ensure_ascii=False).encode()
    row = {
        "request": 0,
        "integration_id": opening.integration_id,
        "incident_id": number,
        "replay_of": None,
        "outcome": AlertOutcome.OPENED,
        "dedup_key": opening.dedup_key,
        "title": opening.title,
        "reason": None,
        "request_id": None,
        "body_size": len(body),
        "raw_body": body,
    }
    await crud_alert.record(scene.session, [row], now=plot.at)


async def _climb(session: WriteSession, number: int, since: datetime, until: datetime) -> None:
    """Take the steps that were due before somebody answered, each at its time."""
    for after in STEPS:
        if since + after > until:
            return
        at = since + after
        dues = await crud_escalation.claim_due(session, now=at, limit=10, incident_ids=[number])
        await ladder.take(session, dues, now=at, fallback_email=None)


async def _who(scene: Scene, number: int) -> Actor:
    """Whoever was on call, and so has the incident."""
    incident: Incident | None = await crud_incident.lock(scene.session, number)
    assert incident is not None
    team = TEAM_OF[incident.service]
    lead = next(person.name for person in PEOPLE if person.team == team)
    key = incident.assigned_to or scene.of("user", lead)
    person = await user_service.require(scene.session, key)
    return Actor(person.display_name, person.id)


async def change_of_plan(scene: Scene) -> None:
    """Somebody takes over for an evening, and the image servers are worked on just now."""
    director = await scene.person(PEOPLE[0].name)
    tomorrow = scene.now.replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
    instead = schedule_override_service.Instead(
        scene.of("user", "Jonas Brandt"),
        tomorrow,
        tomorrow + timedelta(hours=6),
        reason="Mara is at the dentist’s.",
    )
    await schedule_override_service.put(
        scene.session, scene.of("schedule", SUN), [instead], by=director, now=scene.now
    )
    window = {
        "title": "New disks for the image servers",
        "description": None,
        "starts_at": None,
        "ends_at": scene.now + timedelta(hours=3),
        "is_for_everything": False,
    }
    await _window(scene, window, IMAGES)
    begins = tomorrow.replace(hour=3) + timedelta(days=3)
    ahead = {"title": "Search moves to a newer version", "starts_at": begins}
    await _window(scene, {**window, **ahead, "ends_at": begins + timedelta(hours=2)}, SEARCH)


async def _window(scene: Scene, fields: Mapping[str, Any], service: str) -> None:
    director = await scene.person(PEOPLE[0].name)
    services = [scene.of("service", service)]
    made = await maintenance_window_service.plan(
        scene.session, fields, services, by=director, now=scene.now
    )
    await crud_demo.mark(scene.session, "window", str(made.id), made.id)


async def drill(scene: Scene) -> None:
    """Two drills that the lead of payments has answered."""
    lead = await scene.person(PEOPLE[1].name)
    for days, answered_after in ((9, timedelta(seconds=41)), (2, timedelta(seconds=18))):
        at = scene.now - timedelta(days=days, hours=3)
        made = await fire_drill.start(scene.session, fire_drill.Aim(), by=lead, now=at)
        number = made.incident_id
        await _climb(scene.session, number, at, at)
        answered_at = at + answered_after
        await crud_demo.tell(scene.session, [number], until=answered_at)
        await incident_service.change_status(
            scene.session,
            number,
            IncidentStatus.ACKNOWLEDGED,
            actor=Actor(lead.display_name, lead.id),
            now=answered_at,
        )
        await crud_demo.mark(scene.session, "incident", str(number), number)
