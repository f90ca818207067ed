"""The stage: people, teams, schedules, policies, services and tools, each made once.

What is there already stays as somebody may have changed it meanwhile; what was deleted is made
anew.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from app.crud import crud_demo
from app.db.session import WriteSession
from app.demo import cast
from app.demo.cast import BERLIN, NEW_YORK, NIGHTS, PAYMENTS, PEOPLE, PLATFORM, SUN, TEAMS
from app.domain.integration import IntegrationKind
from app.domain.user import Actor
from app.models import User
from app.schemas.escalation import PolicyCreate
from app.schemas.rota import written
from app.schemas.schedule import ScheduleCreate
from app.schemas.service import ServiceCreate
from app.services import heartbeat_monitor as heartbeat_monitor_service
from app.services import integration as integration_service
from app.services import policy as policy_service
from app.services import schedule as schedule_service
from app.services import service as service_service
from app.services import team as team_service
from app.services import user as user_service
from app.services.subscriber_keys import Keys

HISTORY = timedelta(days=28)
TOOL = "Prometheus (demo)"
HEARTBEATS = {"Nightly backup": 31, "Certificate renewal": 60}  # days
NOT_OF_A_SCHEDULE = {"allow_gaps", "allow_overlaps"}


@dataclass
class Scene:
    """What there is, by the demo’s own names. `since` is when all of it began."""

    session: WriteSession
    now: datetime
    hashes: Mapping[str, str]  # of passwords, by mail address
    seals: Keys  # of addresses and secrets
    keys: dict[tuple[str, str], int]
    tool_key: str | None = field(default=None, repr=False)

    @property
    def since(self) -> datetime:
        return self.now - HISTORY - timedelta(days=7)

    def of(self, resource: str, name: str) -> int:
        return self.keys[resource, name]

    async def ensure(self, resource: str, name: str, make: Callable[[], Awaitable[int]]) -> int:
        """The key of what the demo has made under this name, and makes now if it is not there."""
        key = self.keys.get((resource, name))
        if key is None or not await crud_demo.is_there(self.session, resource, key):
            key = await make()
            await crud_demo.mark(self.session, resource, name, key)
        self.keys[resource, name] = key
        return key

    async def person(self, name: str) -> User:
        return await user_service.require(self.session, self.of("user", name))


async def invite(scene: Scene) -> None:
    """Who there is."""
    for person in PEOPLE:
        await scene.ensure("user", person.name, partial(_person, scene, person))


async def build(scene: Scene, holidays: int) -> None:
    """Everything that stands on the stage before anything happens."""
    director = await scene.person(PEOPLE[0].name)
    for name, zone in TEAMS.items():
        await scene.ensure("team", name, partial(_team, scene, name, zone, director))
    for name, layers in ((SUN, _sun), (NIGHTS, _weeks)):
        make = partial(_schedule, scene, name, holidays, layers(scene), director)
        await scene.ensure("schedule", name, make)
    for team, schedule, services in (
        (PAYMENTS, SUN, (cast.CHECKOUT, cast.CARDS)),
        (PLATFORM, NIGHTS, (cast.SEARCH, cast.IMAGES)),
    ):
        await scene.ensure("policy", team, partial(_policy, scene, team, schedule, services))
        for name in services:
            make = partial(_service, scene, name, team, schedule, director)
            await scene.ensure("service", name, make)
    await scene.ensure("integration", TOOL, partial(_tool, scene, director))
    for name, days in HEARTBEATS.items():
        await scene.ensure("heartbeat", name, partial(_heartbeat, scene, name, days, director))


async def _person(scene: Scene, person: cast.Person) -> int:
    new = user_service.NewUser(
        person.email,
        scene.hashes[person.email],
        full_name=person.name,
        role=person.role,
        time_zone=person.time_zone,
    )
    return (await user_service.create(scene.session, new, now=scene.since)).id


async def _team(scene: Scene, name: str, zone: str, by: User) -> int:
    fields = {"name": name, "description": None, "time_zone": zone}
    team = await team_service.create(scene.session, fields, now=scene.since)
    for person in PEOPLE:
        if person.team == name:
            wanted = team_service.Wanted(scene.of("user", person.name), person.is_lead)
            await team_service.put_member(scene.session, team.id, wanted, by=by, now=scene.since)
    return team.id


def _people_of(scene: Scene, team: str) -> list[int]:
    return [scene.of("user", person.name) for person in PEOPLE if person.team == team]


def _monday(scene: Scene, hour: int) -> str:
    """The hand-off of a week before anything happened, on the wall."""
    day = scene.since.date() - timedelta(days=scene.since.weekday() + 7)
    return f"{day.isoformat()}T{hour:02}:00"


def _sun(scene: Scene) -> list[dict[str, Any]]:
    """Berlin by its day, New York by its own: on Berlin’s clock, from 21:00 to 09:00."""
    return [
        {
            "name": "Berlin",
            "rotation": {
                "kind": "weekly",
                "handoff": _monday(scene, 9),
                "participants": _people_of(scene, PAYMENTS),
            },
            "restrictions": [{"since": "09:00", "until": "21:00"}],
        },
        {
            "name": "New York",
            "rotation": {
                "kind": "weekly",
                "handoff": _monday(scene, 21),
                "participants": _people_of(scene, PLATFORM),
            },
            "restrictions": [{"since": "21:00", "until": "09:00"}],
        },
    ]


def _weeks(scene: Scene) -> list[dict[str, Any]]:
    return [
        {
            "name": "Weekly",
            "rotation": {
                "kind": "weekly",
                "handoff": _monday(scene, 9),
                "participants": _people_of(scene, PLATFORM),
            },
        }
    ]


async def _schedule(
    scene: Scene, name: str, holidays: int, layers: list[dict[str, Any]], by: User
) -> int:
    """Berlin’s has its holidays marked; who is on call works on them as on any day."""
    team = PAYMENTS if name == SUN else PLATFORM
    body = ScheduleCreate.model_validate(
        {
            "name": name,
            "time_zone": BERLIN if name == SUN else NEW_YORK,
            "team_id": scene.of("team", team),
            "layers": layers,
            "holidays": [holidays] if name == SUN else [],
        }
    )
    fields = body.model_dump(exclude=NOT_OF_A_SCHEDULE)
    fields["layers"] = written(body.layers)
    made = await schedule_service.create(scene.session, fields, by=by, now=scene.since)
    return made.id


async def _policy(scene: Scene, team: str, schedule: str, services: tuple[str, ...]) -> int:
    """On call, then whoever is next, then the whole team. In the end it tidies up, so that the
    fallback never pages anybody real for a demo."""
    schedule_id, team_id = scene.of("schedule", schedule), scene.of("team", team)
    tidy = "Nobody answered this incident of the demo, so it is resolved."
    body = PolicyCreate.model_validate(
        {
            "name": f"{team} (demo)",
            "conditions": {"service": list(services)},
            "steps": [
                {
                    "delay_minutes": 0,
                    "actions": [
                        {"type": "assign", "target": {"schedule": schedule_id}},
                        {"type": "notify", "target": "on_call"},
                    ],
                },
                {
                    "delay_minutes": 5,
                    "actions": [
                        {
                            "type": "notify",
                            "target": {"schedule": schedule_id, "position": "next"},
                        }
                    ],
                },
                {
                    "delay_minutes": 10,
                    "actions": [{"type": "notify", "target": {"team": team_id}}],
                },
                {
                    "delay_minutes": cast.TIDY_AFTER,
                    "actions": [
                        {"type": "comment", "text": tidy},
                        {"type": "set_status", "status": "resolved"},
                    ],
                },
            ],
        }
    )
    fields = body.model_dump(mode="json", exclude_none=True)
    made = await policy_service.create(scene.session, fields, _calls_nothing, now=scene.since)
    return made.id


def _calls_nothing(_: str) -> None:
    """No objection to what the demo would call: there is nothing."""


async def _service(scene: Scene, name: str, team: str, schedule: str, by: User) -> int:
    body = ServiceCreate.model_validate(
        {
            "name": name,
            "team_id": scene.of("team", team),
            "schedule_id": scene.of("schedule", schedule),
        }
    )
    made = await service_service.create(
        scene.session, body.model_dump(mode="json"), by=by, now=scene.since
    )
    return made.id


async def _tool(scene: Scene, by: User) -> int:
    fields = {"name": TOOL, "kind": IntegrationKind.ALERTS}
    made, key = await integration_service.create(
        scene.session, fields, actor=Actor(by.display_name, by.id), now=scene.since
    )
    scene.tool_key = key.secret
    return made.id


async def _heartbeat(scene: Scene, name: str, days: int, by: User) -> int:
    """They wait for a first ping, so that none is missed when nobody plays with the demo."""
    fields = {
        "name": name,
        "service": cast.SEARCH,
        "interval_seconds": days * 86_400,
        "grace_seconds": 3_600,
    }
    made = await heartbeat_monitor_service.create(
        scene.session, fields, actor=Actor(by.display_name, by.id), now=scene.since
    )
    return made.monitor.id
