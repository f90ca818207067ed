"""`tocsin seed-demo`: whether it may, what it takes back, and who can log in afterwards.

The demo is made in one transaction, or not at all. It takes back only what it has made itself, and
of that it deletes nothing that is history: its incidents are deleted as a person would, and all
the rest is used again.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from app.core.errors import NotFoundError, TocsinError
from app.core.security import Passwords
from app.crud import crud_demo, crud_user
from app.db.session import Database, ReadSession, transaction_time
from app.demo import around, history, scene
from app.demo.cast import PEOPLE, Trouble
from app.demo.public import COMPONENT, MAINTENANCE, Public
from app.demo.scene import Scene
from app.domain.incident import Severity
from app.domain.user import Actor
from app.models import User
from app.services import incident_deletion, public_maintenance, status_component
from app.services import maintenance_window as maintenance_window_service
from app.services.subscriber_keys import Keys


@dataclass(frozen=True)
class Login:
    """Somebody of the demo who can log in."""

    name: str
    email: str
    role: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Made:
    """What is there now, to be shown once."""

    logins: list[Login]
    incidents: int
    tool_key: str | None = field(repr=False)


@dataclass(frozen=True)
class Found:
    """What is there before."""

    is_made: bool
    others: Mapping[str, int]  # what the demo has not made, by the word for it

    @property
    def is_in_use(self) -> bool:
        """Whether there is more than the admin of a first start."""
        return bool(self.others.keys() - {"user"}) or self.others.get("user", 0) > 1

    def told(self) -> str:
        """`3 policies, 1 team`: what there is besides the demo."""
        plurals = {"policy": "policies"}
        return ", ".join(
            f"{count} {word if count == 1 else plurals.get(word, f'{word}s')}"
            for word, count in self.others.items()
        )


async def look(database: Database) -> Found:
    async with database.reading() as session:
        return await _look(session)


async def _look(session: ReadSession) -> Found:
    marks = await crud_demo.marks(session)
    return Found(bool(marks), await crud_demo.count_others(session))


class DemoRefusedError(Exception):
    """What is there forbids it."""

    def __init__(self, found: Found) -> None:
        super().__init__(found.told())
        self.found = found


async def make(
    database: Database, passwords: Passwords, seals: Keys, *, anew: bool, beside: bool
) -> Made:
    """Make the demo; `anew` if there is one already, `beside` whatever else there is."""
    chosen = {person.email: secrets.token_urlsafe(12) for person in PEOPLE}
    hashes = {email: await passwords.hash(password) for email, password in chosen.items()}
    async with database.writing() as session:
        await crud_demo.wait_for_others(session)
        found = await _look(session)
        if (found.is_made and not anew) or (found.is_in_use and not beside):
            raise DemoRefusedError(found)
        now = await transaction_time(session)
        stage = Scene(session, now, hashes, seals, await crud_demo.marks(session))
        await _clear(stage)
        await scene.invite(stage)
        await around.build(stage)
        await scene.build(stage, stage.of(around.CALENDAR, around.HOLIDAYS))
        await _unlock(stage)
        public = Public(stage, is_open=True)
        await public.build()
        if public.is_open:
            await around.subscribe(stage, public.components)
        told = [*history.plots(stage), *history.scenes_of_now(stage)]
        learned: tuple[int, Trouble] | None = None
        bad: list[tuple[int, str, datetime]] = []
        for plot in told:
            number = await history.play(stage, plot, public)
            if plot.trouble.severity in (Severity.CRITICAL, Severity.HIGH):
                bad.append((number, plot.trouble.service, plot.at))
            if plot.cure is not None and public.is_told(plot.trouble, plot.at):
                learned = number, plot.trouble
        await public.plan()
        if learned is not None:
            await public.learn(*learned)
        await history.change_of_plan(stage)
        await history.drill(stage)
        await around.hook(stage, bad)
    logins = [
        Login(person.name, person.email, person.role, chosen[person.email]) for person in PEOPLE
    ]
    return Made(logins, len(told), stage.tool_key)


async def _clear(stage: Scene) -> None:
    """Take back what happened in the demo before."""
    keys = {resource: [k for (r, _), k in stage.keys.items() if r == resource]
            for resource in ("incident", "window", MAINTENANCE, COMPONENT)}  # fmt: skip
    if not any(keys.values()):
        return
    director = await _director(stage)
    actor = Actor(director.display_name, director.id)
    for number in keys["incident"]:
        if await crud_demo.is_there(stage.session, "incident", number):
            await incident_deletion.delete(
                stage.session, number, confirmation=str(number), actor=actor, now=stage.now
            )
    for number in keys["window"]:
        await _end(stage, number, director, stage.now)
    for number in keys[MAINTENANCE]:
        if await crud_demo.is_there(stage.session, MAINTENANCE, number):
            await public_maintenance.withdraw(stage.session, number, now=stage.now)
    for number in keys[COMPONENT]:  # their history would contradict the one that is told now
        if await crud_demo.is_there(stage.session, COMPONENT, number):
            await status_component.remove(stage.session, number, now=stage.now)
    stage.keys = {key: value for key, value in stage.keys.items() if key[0] != COMPONENT}
    for resource in keys:
        await crud_demo.unmark(stage.session, resource)


async def _end(stage: Scene, number: int, director: User, now: datetime) -> None:
    for end in (maintenance_window_service.end, maintenance_window_service.cancel):
        try:
            async with stage.session.begin_nested():
                await end(stage.session, number, by=director, now=now)
        except TocsinError:  # it has not begun, or somebody has ended or cancelled it
            continue
        return


async def _director(stage: Scene) -> User:
    """The admin of the demo, or another one if somebody has deleted them."""
    try:
        return await stage.person(PEOPLE[0].name)
    except (NotFoundError, KeyError):
        return (await crud_user.active_admins(stage.session))[0]


async def _unlock(stage: Scene) -> None:
    """Give everybody of the demo the password that is shown."""
    for person in PEOPLE:
        user = await stage.person(person.name)
        user.revise({"hashed_password": stage.hashes[person.email]}, now=stage.now)
