"""Postmortems: begun from an incident, written, reviewed, published, amended with their history.

Whoever changes one holds its row; who needs the incident, too, holds that first, and who changes
what the public sees holds the page last (`services.status_page`). What is picked from the
incident's timeline is copied, so the document stands by itself. Of the public's text see
`services.postmortem_public`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from app.core.errors import (
    ConflictError,
    InvalidInputError,
    InvalidStateError,
    NotFoundError,
)
from app.crud import crud_incident, crud_postmortem, crud_user
from app.db.session import ReadSession, WriteSession
from app.domain.conditions import Fault
from app.domain.incident import TimelineType
from app.domain.notification import NotificationKind
from app.domain.postmortem import (
    SECTIONS,
    TRANSITIONS,
    PostmortemAction,
    PostmortemStatus,
    allowed,
    clock,
    filled,
    lasted,
)
from app.models import Incident, Postmortem, PostmortemVersion, TimelineEvent, User
from app.services import audit_log, duty_letter, incident_held
from app.services import postmortem_template as template_service
from app.services import status_page as status_page_service

PUBLIC = ("public_summary", "public_body")
DOCUMENT = ("title", *SECTIONS, "timeline", *PUBLIC)
# What a new one tells of its incident, until somebody picks.
DRAWN = frozenset(
    {
        TimelineType.OPENED,
        TimelineType.ACKNOWLEDGED,
        TimelineType.RESOLVED,
        TimelineType.REOPENED,
        TimelineType.ESCALATED,
        TimelineType.ESCALATION_EXHAUSTED,
        TimelineType.ACKNOWLEDGEMENT_EXPIRED,
        TimelineType.PUBLISHED,
        TimelineType.PUBLIC_UPDATE,
    }
)
DONE = {
    PostmortemAction.SUBMIT: "sent the postmortem to review",
    PostmortemAction.RETURN: "took the postmortem back to be written further",
    PostmortemAction.PUBLISH: "published the postmortem",
}


class PostmortemExistsError(ConflictError):
    """The incident has one already."""

    code = "POSTMORTEM_EXISTS"


class InvalidPostmortemError(InvalidInputError):
    """It names what is not there; `details.errors` names each place."""

    code = "INVALID_POSTMORTEM"


class PostmortemTransitionError(InvalidStateError):
    """It is in no status for this; `details.allowed` says what it is in one for."""

    code = "INVALID_STATUS_TRANSITION"


class PostmortemEmptyError(InvalidStateError):
    """Nobody has written it yet."""

    code = "POSTMORTEM_EMPTY"


async def require(session: ReadSession, incident_id: int) -> Postmortem:
    found = await crud_postmortem.of_incident(session, incident_id)
    if found is None:
        raise await _none(session, incident_id)
    return found


async def _none(session: ReadSession, incident_id: int) -> NotFoundError:
    """What is said when there is none: there may be no such incident either."""
    if await crud_incident.get(session, incident_id) is None:
        return NotFoundError("incident", incident_id)
    return NotFoundError("postmortem", f"of incident {incident_id}")


async def held(session: WriteSession, incident_id: int) -> Postmortem:
    """The postmortem of an incident, held until commit; whoever changes it has it from here."""
    found = await crud_postmortem.lock(session, incident_id)
    if found is None:
        raise await _none(session, incident_id)
    return found


# --- Writing it ---------------------------------------------------------------------------


async def start(
    session: WriteSession,
    incident_id: int,
    fields: Mapping[str, Any],
    *,
    by: User,
    now: datetime,
) -> Postmortem:
    """Begin the postmortem of an incident: what is not given comes from the template and from the
    incident's own timeline."""
    incident = await incident_held.held(session, incident_id)
    existing = await crud_postmortem.of_incident(session, incident_id)
    if existing is not None:
        raise PostmortemExistsError(
            f"Incident {incident_id} has a postmortem already; change that one.",
            postmortem_id=existing.id,
        )
    drafted = await _drafted(session, incident, now)
    given = dict(fields)
    reviewers = given.pop("reviewers", [])
    entries = given.pop("timeline", None)
    timeline = await _drawn(session, incident_id) if entries is None else entries
    values = {"title": incident.title, "owner_id": by.id, **drafted, **given, "timeline": timeline}
    values = await _checked(session, incident_id, values, reviewers, kept=())
    made = await crud_postmortem.add(
        session,
        Postmortem(
            incident_id=incident_id,
            created_by=by.id,
            revision=1,
            created_at=now,
            updated_at=now,
            **values,
        ),
    )
    await crud_postmortem.let_review(session, made.id, reviewers)
    await _say(session, incident_id, "began the postmortem", by, now)
    return await require(session, incident_id)


async def edit(
    session: WriteSession, incident_id: int, fields: Mapping[str, Any], *, by: User, now: datetime
) -> Postmortem:
    """Write the named fields. Of a published one that is an amendment: what it said is kept."""
    row = await held(session, incident_id)
    given = dict(fields)
    reviewers: Sequence[int] | None = given.pop("reviewers", None)
    values = await _checked(session, incident_id, given, reviewers or (), kept=row.timeline)
    if row.is_public and values.get("public_summary") == "":
        raise InvalidPostmortemError(
            "The public reads it: take it back from the public before you empty its summary.",
            errors=[{"path": "public_summary", "message": "is read by the public"}],
        )
    changed = row.revise(values, now=now)
    if reviewers is not None and await _let_review(session, row, reviewers) and not changed:
        row.touch(now)
    if row.is_public and changed.keys() & set(PUBLIC):
        row.public_amended_at = now
        await status_page_service.hold(session, now=now)
    if row.status is PostmortemStatus.PUBLISHED and changed.keys() & set(DOCUMENT):
        row.amended_at = now
        await keep_version(session, row, by=by, now=now)
        await _say(session, incident_id, "amended the postmortem", by, now)
    return await require(session, incident_id)


async def _let_review(session: WriteSession, row: Postmortem, reviewers: Sequence[int]) -> bool:
    """Let these be all that review it; whether they are others than before."""
    before = await crud_postmortem.reviewer_ids(session, row.id)
    if before == sorted(reviewers):
        return False
    await crud_postmortem.let_review(session, row.id, reviewers)
    was, new = {"reviewers": before}, {"reviewers": sorted(reviewers)}
    await audit_log.note(session, "postmortem.updated", row.id, before=was, after=new)
    return True


async def keep_version(session: WriteSession, row: Postmortem, *, by: User, now: datetime) -> None:
    """Keep what a published postmortem says now."""
    document = {name: getattr(row, name) for name in (*DOCUMENT, "is_public")}
    version = PostmortemVersion(
        postmortem_id=row.id,
        revision=row.revision,
        document=document,
        edited_by=by.id,
        edited_at=now,
    )
    await crud_postmortem.add_version(session, version)


# --- Its course ---------------------------------------------------------------------------


async def move(
    session: WriteSession,
    incident_id: int,
    action: PostmortemAction,
    *,
    by: User,
    now: datetime,
) -> Postmortem:
    """Send it to review, back, or out to everybody inside. Where it is already, nothing happens."""
    incident = await incident_held.held(session, incident_id)
    row = await held(session, incident_id)
    if row.status in {after for (_, one), after in TRANSITIONS.items() if one is action}:
        return await require(session, incident_id)
    target = TRANSITIONS.get((row.status, action))
    if target is None:
        raise refused(row.status, action)
    if action is PostmortemAction.PUBLISH and not row.summary:
        raise PostmortemEmptyError("Write the summary before you publish it.", field="summary")
    row.status = target
    row.touch(now)
    match action:
        case PostmortemAction.SUBMIT:
            row.submitted_at = now
            await _ask(session, row, incident, by, now)
        case PostmortemAction.PUBLISH:
            row.published_at, row.published_by = now, by.id
            await keep_version(session, row, by=by, now=now)
    await _say(session, incident_id, DONE[action], by, now)
    return await require(session, incident_id)


async def approve(
    session: WriteSession, incident_id: int, *, by: User, now: datetime
) -> Postmortem:
    """Say that one has read it and agrees. Whoever was not asked to is a reviewer from then on."""
    row = await held(session, incident_id)
    if row.status is not PostmortemStatus.IN_REVIEW:
        raise PostmortemTransitionError(
            f"Only what is in review can be approved; this is {shown(row.status)}.",
            allowed=[action.value for action in allowed(row.status)],
        )
    await crud_postmortem.approve(session, row.id, by.id, now=now)
    said = {"approved_by": by.id}
    await audit_log.note(session, "postmortem.approved", row.id, after=said)
    row.touch(now)
    return await require(session, incident_id)


def refused(status: PostmortemStatus, action: PostmortemAction) -> PostmortemTransitionError:
    return PostmortemTransitionError(
        f"What is {shown(status)} cannot take “{action}”.",
        allowed=[one.value for one in allowed(status)],
    )


def shown(status: PostmortemStatus) -> str:
    return {"draft": "a draft", "in_review": "in review"}.get(status, str(status))


async def _ask(
    session: WriteSession, row: Postmortem, incident: Incident, by: User, now: datetime
) -> None:
    reviewers = await crud_postmortem.reviewer_ids(session, row.id)
    await crud_postmortem.ask(session, row.id, now=now)
    facts = {
        "title": row.title,
        "incident_id": incident.id,
        "actor": by.display_name,
    }
    told = {user_id: facts for user_id in reviewers if user_id != by.id}
    if told:
        kind = NotificationKind.POSTMORTEM_REVIEW
        await duty_letter.tell(session, kind, told, good_until=None, now=now)


async def _say(session: WriteSession, incident_id: int, what: str, by: User, now: datetime) -> None:
    story = f"{by.display_name} {what}."
    kind = TimelineType.POSTMORTEM
    entry = crud_incident.entry(incident_id, kind, story, now=now, user_id=by.id)
    await crud_incident.tell(session, [entry])


# --- What it is made of -------------------------------------------------------------------


async def _drafted(session: ReadSession, incident: Incident, now: datetime) -> dict[str, str]:
    until = incident.resolved_at
    facts = {
        "title": incident.title,
        "service": incident.service,
        "severity": incident.severity.value,
        "opened_at": clock(incident.created_at),
        "resolved_at": "now" if until is None else clock(until),
        "duration": lasted((until or now) - incident.created_at),
    }
    template = await template_service.current(session)
    return {name: filled(text, facts) for name, text in template.sections.items()}


async def _drawn(session: ReadSession, incident_id: int) -> list[dict[str, Any]]:
    entries = await crud_postmortem.timeline_of(session, incident_id)
    return [_copied(one, "") for one in entries if one.event_type in DRAWN]


def _copied(event: TimelineEvent, note: str) -> dict[str, Any]:
    return {
        "event_id": event.id,
        "happened_at": event.created_at.isoformat(),
        "description": event.description,
        "note": note,
    }


async def _checked(
    session: WriteSession,
    incident_id: int,
    fields: Mapping[str, Any],
    reviewers: Sequence[int],
    *,
    kept: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """The fields as they are stored; what they name that is not there is told, place by place."""
    faults: list[Fault] = []
    values = dict(fields)
    if "timeline" in values:
        values["timeline"] = await _timeline(session, incident_id, values["timeline"], kept, faults)
    owner = values.get("owner_id")
    named = {key for key in (owner, *reviewers) if key is not None}
    people = await crud_user.by_ids(session, named)
    there = {key for key, user in people.items() if user.is_active}
    if owner is not None and owner not in there:
        faults.append(Fault("owner_id", f"names user {owner}, who is not active"))
    faults += [
        Fault(f"reviewers[{place}]", f"names user {key}, who is not active")
        for place, key in enumerate(reviewers)
        if key not in there
    ]
    if faults:
        raise InvalidPostmortemError(
            f"The postmortem cannot be saved: {faults[0].path} {faults[0].message}.",
            errors=[{"path": fault.path, "message": fault.message} for fault in faults],
        )
    return values


async def _timeline(
    session: ReadSession,
    incident_id: int,
    entries: Sequence[Mapping[str, Any]],
    kept: Sequence[Mapping[str, Any]],
    faults: list[Fault],
) -> list[dict[str, Any]]:
    """In the order in which things happened. What stands there already stays as it was copied."""
    copies = {one["event_id"]: one for one in kept if one["event_id"] is not None}
    wanted = {one["event_id"] for one in entries if one.get("event_id") is not None}
    events = await crud_postmortem.picked(session, incident_id, wanted - copies.keys())
    found: list[dict[str, Any]] = []
    for place, entry in enumerate(entries):
        key, note = entry.get("event_id"), entry.get("note") or ""
        if key is None:
            own = {name: entry[name] for name in ("happened_at", "description")}
            found.append({"event_id": None, **own, "note": note})
        elif key in copies:
            found.append({**copies[key], "note": note})
        elif key in events:
            found.append(_copied(events[key], note))
        else:
            message = f"is {key}, which is no entry of this incident's timeline"
            faults.append(Fault(f"timeline[{place}].event_id", message))
    return sorted(found, key=lambda one: datetime.fromisoformat(one["happened_at"]))
