"""Fire drills: a marked page goes the whole real way.

A drill is a real incident that only it pages for, with a ladder of one step: no policy starts on
it, no fallback follows it, nothing acts but pages. It is critical, because a drill that waits for
the end of quiet hours, or behind a storm, tells nobody whether they would be reached. Its end is
`fire_drill_answer`; what nobody answers is missed (`services.ladder`).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from app.core.errors import ConflictError, NotFoundError
from app.crud import (
    crud_escalation,
    crud_fire_drill,
    crud_incident,
    crud_notification,
    crud_round_robin,
    crud_target,
    crud_user,
)
from app.crud.base import Slice, Window
from app.crud.crud_fire_drill import DrillFilter
from app.db.session import ReadSession, WriteSession, wake_after_commit
from app.domain import escalation
from app.domain.duty import Duty
from app.domain.escalation import EscalationEventStatus, EscalationStatus, Step
from app.domain.fire_drill import (
    LASTS,
    PER_POLICY,
    PER_USER,
    SERVICE,
    TITLE,
    DrillState,
    drilled,
)
from app.domain.incident import IncidentStatus, Severity, TimelineType
from app.domain.notification import NotificationKind, Recipient, Skipped
from app.domain.target import OF_SERVICE, ON_DUTY, Target, TargetKind
from app.domain.throttle import Quota
from app.domain.user import Permission
from app.models import (
    ContactMethod,
    Escalation,
    EscalationEvent,
    EscalationPolicy,
    FireDrill,
    Incident,
    Notification,
    User,
)
from app.services import contact_method as contact_method_service
from app.services import escalation as escalation_service
from app.services import outbox
from app.services import user as user_service
from app.services.ladder_people import Turns, targets_of

MOST_PAGES = 1000
ONESELF = "Fire drill"  # what the ladder of a drill is called that no policy lent its own
DRILL = {"drill": True}  # a page to an address that is yet to be proved


class ReachesNobodyError(ConflictError):
    """The drill would page nobody, and so would the real thing."""

    code = "DRILL_REACHES_NOBODY"


@dataclass(frozen=True)
class Aim:
    """Whom a drill shall page: whoever a policy reaches now, one address, or who starts it."""

    policy_id: int | None = None
    contact_method_id: int | None = None
    message: str | None = None
    service: str | None = None  # with a policy: whose people on call it means


# --- Starting -----------------------------------------------------------------------------


async def tries(session: ReadSession, aim: Aim, *, by: User) -> list[tuple[Quota, str]]:
    """What a drill counts against: whoever starts it, and whoever could be pestered with it."""
    counted = [(PER_USER, str(by.id))]
    if aim.policy_id is not None:
        counted.append((PER_POLICY, str((await _policy(session, aim.policy_id)).id)))
    if aim.contact_method_id is not None:
        method = await _method(session, aim.contact_method_id, by)
        if method.verified_at is None:
            counted += contact_method_service.code_tries(by.id, method.channel, method.address)
    return counted


async def start(session: WriteSession, aim: Aim, *, by: User, now: datetime) -> FireDrill:
    """Open a drill; its page is on its way once the caller has committed."""
    if aim.policy_id is not None:
        return await _of_policy(session, await _policy(session, aim.policy_id), aim, by, now)
    if aim.contact_method_id is not None:
        method = await _method(session, aim.contact_method_id, by)
        return await _of_method(session, method, aim, by, now)
    step = _to(by.id, aim.message)
    await _require_reach(session, [step], by, now)
    title = f"{TITLE}does a page reach {by.display_name}?"
    incident = await _open(session, title, by, now)
    await crud_escalation.add(session, _ladder(incident.id, ONESELF, step, now))
    wake_after_commit(session, escalation_service.LOOP)
    return await _drill(session, incident, by, now)


async def _of_policy(
    session: WriteSession, policy: EscalationPolicy, aim: Aim, by: User, now: datetime
) -> FireDrill:
    """The first step that reaches somebody, as the ladder would hand over to it."""
    services = await crud_target.services(session, [aim.service] if aim.service else [])
    schedule_id = services.get(aim.service or "")
    taken = [drilled(step, aim.message, schedule_id=schedule_id) for step in policy.steps]
    steps = [step for step in taken if step is not None]
    step = await _require_reach(session, steps, by, now, service=aim.service)
    incident = await _open(session, f"{TITLE}“{policy.name}”", by, now)
    await crud_escalation.add(session, _ladder(incident.id, policy.name, step, now))
    wake_after_commit(session, escalation_service.LOOP)
    return await _drill(session, incident, by, now, policy=policy)


async def _of_method(
    session: WriteSession, method: ContactMethod, aim: Aim, by: User, now: datetime
) -> FireDrill:
    """One page to exactly this address, whatever rules there are; the step counts as taken."""
    owner = await user_service.require_active(session, method.user_id)
    title = f"{TITLE}does a page reach {owner.display_name} by {method.channel}?"
    incident = await _open(session, title, by, now)
    ladder = _ladder(incident.id, ONESELF, _to(owner.id, aim.message), now)
    ladder.next_step, ladder.next_step_at = 1, now + LASTS
    run = await crud_escalation.add(session, ladder)
    place = {"incident_id": incident.id, "escalation_id": run.id, "loop": 0, "step": 0}
    taken = EscalationEvent(
        **place,
        status=EscalationEventStatus.COMPLETED,
        due_at=now,
        triggered_at=now,
        completed_at=now,
        facts={"paged": 1, "skipped": []},
    )
    await crud_fire_drill.record(session, taken)
    page = Notification(
        **place,
        kind=NotificationKind.PAGE,
        action=0,
        recipient=f"user:{owner.id}",
        rule=0,
        channel=method.channel,
        user_id=owner.id,
        contact_method_id=method.id,
        message=aim.message,
        facts=DRILL,
        is_critical=True,
        due_at=now,
        ready_at=now,
        created_at=now,
        updated_at=now,
    )
    await crud_notification.add(session, page)
    outbox.wake(session, method.channel)
    return await _drill(session, incident, by, now, method=method)


async def _policy(session: ReadSession, policy_id: int) -> EscalationPolicy:
    policy = await crud_escalation.get_policy(session, policy_id)
    if policy is None:
        raise NotFoundError("policy", policy_id)
    return policy


async def _method(session: ReadSession, method_id: int, by: User) -> ContactMethod:
    """One's own, or anybody's for an admin."""
    method = await crud_fire_drill.method(session, method_id)
    if method is None or (method.user_id != by.id and not by.may(Permission.ADMINISTER)):
        raise NotFoundError("contact method", method_id)
    return method


def _to(user_id: int, message: str | None) -> dict[str, Any]:
    action = {"type": "notify", "target": {"user": user_id}}
    return {"delay_minutes": 0, "actions": [action | ({"message": message} if message else {})]}


async def _require_reach(
    session: ReadSession,
    steps: Sequence[Mapping[str, Any]],
    by: User,
    now: datetime,
    service: str | None = None,
) -> dict[str, Any]:
    """The first of these steps that would page somebody now."""
    skipped: dict[str, None] = {}
    read = escalation.read_steps(steps)
    crew = await _crew(session, {one for step in read for one in targets_of(step)}, service, now)
    for number, (document, step) in enumerate(zip(steps, read, strict=True)):
        people = {
            target: await _people(session, target, by, crew, (number, step))
            for target in targets_of(step)
        }
        pages = escalation.pages_of(step, recipients=people, severity=Severity.CRITICAL, due_at=now)
        if pages.owed:
            return dict(document)
        unreached = [*crew.passed(number), *pages.skipped]
        skipped |= dict.fromkeys(f" {skip.name} {skip.reason}." for skip in unreached)
        skipped |= dict.fromkeys(f" {why}" for target in people if (why := crew.why(target)))
    raise ReachesNobodyError(
        "It would page nobody."
        + ("".join(skipped) or " There is nobody whom it names, or nothing of it pages.")
    )


@dataclass(frozen=True)
class _Crew:
    """Whom schedules, teams and turns mean now. Nobody's turn moves before the page is made."""

    duty: Duty
    turns: Turns
    service: str | None

    def passed(self, number: int) -> Iterator[Skipped]:
        """Who was passed over in this step, though it would be their turn."""
        for (step, _), turn in self.turns.chosen.items():
            yield from turn.passed if step == number else ()

    def why(self, target: Target) -> str | None:
        """Why a target means nobody."""
        if target.kind not in ON_DUTY:
            return None
        if target.kind in OF_SERVICE and self.service is None:
            return "A drill is about no service; name one with `service`."
        return self.duty.meant(target, self.service or "").why


async def _crew(
    session: ReadSession, targets: Collection[Target], service: str | None, now: datetime
) -> _Crew:
    wanted = [(target, service or "") for target in targets if target.kind in ON_DUTY]
    rings = {target.ring for target, _ in wanted if target.kind is TargetKind.ROUND_ROBIN}
    return _Crew(
        await crud_target.duty(session, wanted, at=now),
        Turns(await crud_round_robin.look(session, rings)),
        service,
    )


async def _people(
    session: ReadSession, target: Target, by: User, crew: _Crew, asking: tuple[int, Step]
) -> Collection[Recipient]:
    """Whom a target of a step means in a drill: who starts it created it, and nobody has it yet."""
    match target.kind:
        case TargetKind.USER if target.user_id is not None:
            ids = [target.user_id]
        case TargetKind.ADMINS | TargetKind.FALLBACK:
            ids = [admin.id for admin in await crud_user.active_admins(session)]
        case TargetKind.CREATOR:
            ids = [by.id]
        case kind if kind in ON_DUTY:
            ids = list(crew.duty.meant(target, crew.service or "").user_ids)
        case _:
            ids = []
    people = list((await crud_user.recipients(session, ids)).values())
    if target.kind is not TargetKind.ROUND_ROBIN:
        return people
    in_order = sorted(people, key=lambda person: ids.index(person.user_id))
    number, step = asking
    why_not = partial(
        escalation.out_of_reach, step, target, severity=Severity.CRITICAL, due_at=crew.duty.at
    )
    turn = crew.turns.choose(number, target, in_order, why_not)
    return [person for person in people if person.user_id == turn.user_id]


async def _open(session: WriteSession, title: str, by: User, now: datetime) -> Incident:
    incident = Incident(
        title=title[:255],
        description=f"{by.display_name} started a fire drill. Nothing is wrong.",
        severity=Severity.CRITICAL,
        service=SERVICE,
        created_by=by.id,
        is_drill=True,
        created_at=now,
        updated_at=now,
    )
    await crud_fire_drill.open_incident(session, incident)
    story = f"{by.display_name} started a fire drill."
    entry = crud_incident.entry(incident.id, TimelineType.OPENED, story, now=now, user_id=by.id)
    await crud_incident.tell(session, [entry])
    return incident


def _ladder(incident_id: int, name: str, step: Mapping[str, Any], now: datetime) -> Escalation:
    return Escalation(
        incident_id=incident_id,
        policy_name=name,
        steps=[dict(step)],
        final_delay_minutes=LASTS.total_seconds() / 60,
        is_critical=True,
        status=EscalationStatus.ACTIVE,
        loop=0,
        next_step=0,
        next_step_at=now,
        started_at=now,
        created_at=now,
        updated_at=now,
    )


async def _drill(
    session: WriteSession,
    incident: Incident,
    by: User,
    now: datetime,
    *,
    policy: EscalationPolicy | None = None,
    method: ContactMethod | None = None,
) -> FireDrill:
    """The drill that this incident is."""
    drill = FireDrill(
        incident_id=incident.id,
        started_by=by.id,
        policy_id=policy.id if policy is not None else None,
        policy_name=policy.name if policy is not None else None,
        contact_method_id=method.id if method is not None else None,
        started_at=now,
    )
    return await crud_fire_drill.add(session, drill)


# --- Looking ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shown:
    """A drill with its pages, and how it stands."""

    drill: FireDrill
    state: DrillState
    answer_seconds: float | None
    pages: Sequence[Notification]


async def shown(session: ReadSession, drills: Sequence[FireDrill]) -> list[Shown]:
    """These drills, each with its pages."""
    incidents = [drill.incident_id for drill in drills]
    statuses = await crud_fire_drill.statuses(session, incidents)
    pages = await crud_fire_drill.pages(session, incidents, limit=MOST_PAGES)
    return [
        Shown(
            drill,
            _state(drill, statuses[drill.incident_id]),
            _seconds(drill),
            pages.get(drill.incident_id, []),
        )
        for drill in drills
    ]


async def page_of_drills(
    session: ReadSession, where: DrillFilter, wanted: Window
) -> tuple[Slice[FireDrill], list[Shown]]:
    found = await crud_fire_drill.list_page(session, where, wanted)
    return found, await shown(session, found.items)


async def require(session: ReadSession, drill_id: int) -> Shown:
    drill = await crud_fire_drill.get(session, drill_id)
    if drill is None:
        raise NotFoundError("fire drill", drill_id)
    return (await shown(session, [drill]))[0]


async def of_incident(session: ReadSession, incident_id: int) -> Shown | None:
    """The drill that an incident is, if it is one."""
    drill = await crud_fire_drill.of_incident(session, incident_id)
    return None if drill is None else (await shown(session, [drill]))[0]


def _state(drill: FireDrill, status: IncidentStatus) -> DrillState:
    if drill.answered_at is not None:
        return DrillState.ANSWERED
    if drill.missed_at is not None:
        return DrillState.MISSED
    return DrillState.CALLED_OFF if status is IncidentStatus.RESOLVED else DrillState.RUNNING


def _seconds(drill: FireDrill) -> float | None:
    if drill.answered_at is None:
        return None
    return round((drill.answered_at - drill.started_at).total_seconds(), 3)
