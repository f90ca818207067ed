"""Who would be paged, when: the very code that pages, with another clock and nothing sent.

A rehearsal happens in a transaction that its caller never commits. It puts an incident there
under a negative key (a hypothetical one, or a copy of a real one, which nobody has to wait for),
starts escalations as production does, and then goes from one due time to the next, each time
letting what is ready leave to nowhere and taking the steps that are due. What happened is read
from the same rows that production writes; `simulation_course` tells it.

Not rehearsed are limits of storms and bundles, and providers that are down.
"""

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from app.core.errors import NotFoundError, UnavailableError
from app.crud import crud_escalation, crud_incident, crud_simulation
from app.db.session import WriteSession
from app.domain.conditions import Attributes, Fault, explain
from app.domain.contradictions import impossible
from app.domain.foresight import Doubt, DoubtKind
from app.domain.incident import IncidentStatus, Opening, Severity
from app.domain.lease import StepKey
from app.domain.notification import Channel
from app.domain.throttle import Quota
from app.domain.user import Actor
from app.models import EscalationPolicy, Incident
from app.services import custom_field as custom_field_service
from app.services import escalation as escalation_service
from app.services import incident as incident_service
from app.services import ladder, policy, quiet, simulation_course
from app.services import notification as notification_service
from app.services import user as user_service
from app.services.incident_held import StillResolvedError
from app.services.simulation_course import Line, Setting
from app.services.target import Objection

LONGEST = timedelta(days=7)
MOST_ROUNDS = 250  # of the clock
MOST_AT_ONCE = 4  # rehearsals, on all replicas together
AT_ONCE = 100  # steps, as the loop takes them
PER_USER = Quota(
    "simulations of a user", 300, timedelta(hours=1), "Too many simulations were asked for lately."
)
SOMEBODY = Actor(name="Somebody")


@dataclass(frozen=True)
class Question:
    """What shall be rehearsed: one of `opening` and `incident_id`.

    An incident goes on as it stands, unless a draft or a time asks how it would begin. Nobody
    answers, or whoever was paged first does so after a while.
    """

    opening: Opening | None = None
    assignees: Sequence[int] = ()
    incident_id: int | None = None
    draft: Mapping[str, Any] | None = None
    at: datetime | None = None
    until: timedelta | None = None
    answered_after: timedelta | None = None
    fallback_email: str | None = None
    unconfigured: Collection[Channel] = field(default_factory=frozenset)
    objection: Objection = lambda _: None  # to what a draft would call

    @property
    def begins_anew(self) -> bool:
        return self.incident_id is None or self.draft is not None or self.at is not None


@dataclass(frozen=True)
class Match:
    """Whether a policy is for the incident, and why not."""

    policy_id: int | None  # None: the draft
    name: str
    is_active: bool
    matches: bool
    reasons: Sequence[Fault]
    never: str | None = None  # what in its conditions no incident can meet


@dataclass(frozen=True)
class Rehearsal:
    starts_at: datetime
    ends_at: datetime  # when the last thing happened
    begins_anew: bool
    is_complete: bool  # False: something is still to come
    policies: Sequence[Match]
    lines: Sequence[Line]
    warnings: Sequence[Doubt]


async def rehearse(session: WriteSession, question: Question, *, now: datetime) -> Rehearsal:
    """What would happen. The caller must never commit the session."""
    if not await crud_simulation.take_place(session, MOST_AT_ONCE):
        raise UnavailableError("Others are simulating just now; try again in a moment.")
    await crud_simulation.bound(session)
    start = question.at or now
    key = -1 - secrets.randbelow(2**61)
    incident = await _put(session, question, key, start)
    setting = Setting(key, start, _draft_name(key), str((question.draft or {}).get("name", "")))
    if question.draft is not None:
        await _save_draft(session, question, setting, now=now)
        await crud_simulation.leave_only(session, key)
    attributes = escalation_service.attributes_of(incident)
    matches = await _matches(session, attributes, setting, now=start)
    if question.begins_anew:
        await quiet.place(session, incident, now=start)
        subject = escalation_service.Subject(key, attributes)
        await escalation_service.start(session, [subject], now=start)
    ran = await _run(session, question, key, start)
    told = await simulation_course.tell(
        session,
        setting,
        severities=ran.severities,
        is_answered=ran.answered_at is not None,
        unconfigured=question.unconfigured,
    )
    doubts = [*told.doubts, *_of_policies(matches, question)]
    if ran.was_cut:
        message = f"The rehearsal was stopped after {MOST_ROUNDS} turns of the clock."
        doubts.append(Doubt(DoubtKind.CUT_SHORT, message))
    return Rehearsal(
        starts_at=start,
        ends_at=ran.ends_at,
        begins_anew=question.begins_anew,
        is_complete=ran.is_complete,
        policies=matches,
        lines=told.lines,
        warnings=doubts,
    )


# --- The stage ----------------------------------------------------------------------------


async def _put(session: WriteSession, question: Question, key: int, start: datetime) -> Incident:
    if question.opening is not None:
        return await _hypothetical(session, question.opening, question.assignees, key, start)
    assert question.incident_id is not None
    real = await crud_incident.get(session, question.incident_id)
    if real is None:
        raise NotFoundError("incident", question.incident_id)
    if real.status is IncidentStatus.RESOLVED and not question.begins_anew:
        raise StillResolvedError(
            "A resolved incident pages nobody; give a time (`at`) to see how it would begin."
        )
    await crud_simulation.copy_incident(session, real.id, key)
    if not question.begins_anew:
        await crud_simulation.copy_work(session, real.id, key)
    copy = await crud_incident.lock(session, key)
    assert copy is not None  # it was just made
    if question.begins_anew:
        copy.enter(IncidentStatus.OPEN, by=None, now=start)
        copy.created_at = start
    return copy


async def _hypothetical(
    session: WriteSession,
    opening: Opening,
    assignees: Sequence[int],
    key: int,
    start: datetime,
) -> Incident:
    people = list(dict.fromkeys(assignees))
    for user_id in people:
        await user_service.require_active(session, user_id)
    if opening.created_by is not None:
        await user_service.require(session, opening.created_by)
    values = await custom_field_service.merged(session, {}, opening.custom_fields)
    incident = Incident(
        id=key,
        title=opening.title,
        severity=opening.severity,
        service=opening.service,
        source=opening.source,
        tags=list(opening.tags),
        labels=dict(opening.labels),
        custom_fields=values,
        created_by=opening.created_by,
        assigned_to=people[-1] if people else None,
        status=IncidentStatus.OPEN,
        created_at=start,
        updated_at=start,
    )
    return await crud_simulation.add_incident(session, incident, people, now=start)


def _draft_name(key: int) -> str:
    """What the draft is called in the table, where its own name may be taken."""
    return f"draft {key}"


async def _save_draft(
    session: WriteSession, question: Question, setting: Setting, *, now: datetime
) -> None:
    """Save it as any policy is saved, with every check."""
    named = {"id": setting.key, "name": setting.draft_name, "is_active": True}
    fields = {**(question.draft or {}), **named}
    await policy.create(session, fields, question.objection, now=now)


async def _matches(
    session: WriteSession, attributes: Attributes, setting: Setting, *, now: datetime
) -> list[Match]:
    """Of every policy whether it is for this incident; of a draft, for it alone."""
    found = await crud_simulation.policies(session)
    draft = [one for one in found if one.id == setting.key]
    pinned = await quiet.pinned(session, {attributes.service}, now=now)
    is_pinned = {one.id: one.id == pinned.get(attributes.service) for one in found}
    return [
        _match(one, attributes, setting, now, is_pinned=is_pinned[one.id]) for one in draft or found
    ]


def _match(
    one: EscalationPolicy,
    attributes: Attributes,
    setting: Setting,
    now: datetime,
    *,
    is_pinned: bool,
) -> Match:
    try:
        reasons = [] if is_pinned else explain(one.conditions, attributes, now=now)
    except Exception:  # as when an incident opens: it must not fail, and counts as matching
        reasons = []
    is_draft = one.id == setting.key
    return Match(
        None if is_draft else one.id,
        setting.real_name if is_draft else one.name,
        one.is_active,
        one.is_active and not reasons,
        reasons if one.is_active else [Fault("is_active", "is false"), *reasons],
        impossible(one.conditions),
    )


def _of_policies(matches: Sequence[Match], question: Question) -> list[Doubt]:
    doubts = [
        Doubt(
            DoubtKind.POLICY_NEVER_MATCHES,
            f"“{match.name}” can never match: no incident can meet {match.never}.",
            match.name,
        )
        for match in matches
        if match.is_active and match.never is not None
    ]
    if question.begins_anew and not any(match.matches for match in matches):
        which = "The draft does not match" if question.draft is not None else "No policy matches"
        doubts.append(
            Doubt(DoubtKind.NO_POLICY_MATCHES, f"{which} this incident; the fallback is paged.")
        )
    return doubts


# --- The play -----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Ran:
    ends_at: datetime
    is_complete: bool = True
    was_cut: bool = False
    answered_at: datetime | None = None
    severities: tuple[Severity, ...] = ()  # all that it had, one after the other


async def _run(session: WriteSession, question: Question, key: int, start: datetime) -> _Ran:
    """Turn the clock from one due time to the next, until nothing is to come or it is over."""
    end = start + min(question.until or LONGEST, LONGEST)
    answer_at = None if question.answered_after is None else start + question.answered_after
    ran = _Ran(start)
    turns: dict[str, int] = {}  # whose it would be; nobody's moves
    for _ in range(MOST_ROUNDS):
        due_at, severity = await crud_simulation.next_moment(session, key)
        if ran.severities[-1:] != (severity,):
            ran = replace(ran, severities=(*ran.severities, severity))
        times = [moment for moment in (due_at, answer_at) if moment is not None]
        if not times:
            return ran
        moment = max(min(times), ran.ends_at)
        if moment > end:
            return replace(ran, is_complete=due_at is None)
        ran = replace(ran, ends_at=moment)
        await _let_leave(session, question, key, moment)
        if answer_at is not None and moment >= answer_at:
            is_answered = await _answer(session, key, moment)
            answer_at = None
            ran = replace(ran, answered_at=moment if is_answered else None)
            continue
        dues = await crud_escalation.claim_due(
            session, now=moment, limit=AT_ONCE, incident_ids=[key]
        )
        if dues:
            await ladder.take(
                session,
                dues,
                now=moment,
                fallback_email=question.fallback_email,
                rehearsed=turns,
            )
    return replace(ran, is_complete=False, was_cut=True)


async def _let_leave(session: WriteSession, question: Question, key: int, moment: datetime) -> None:
    lost = await crud_simulation.send(session, key, unconfigured=question.unconfigured, now=moment)
    await notification_service.hurry(session, {StepKey(key, *step) for step in lost}, now=moment)


async def _answer(session: WriteSession, key: int, moment: datetime) -> bool:
    """Whoever was paged first acknowledges; what is not open then needs no answer."""
    incident = await crud_incident.lock(session, key)
    if incident is None or incident.status is not IncidentStatus.OPEN:
        return False
    actor = await simulation_course.first_paged(session, key) or SOMEBODY
    await incident_service.enter(
        session, incident, IncidentStatus.ACKNOWLEDGED, actor=actor, now=moment
    )
    return True
