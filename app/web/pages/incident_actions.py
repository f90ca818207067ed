"""What somebody does about an incident from its page or its row: a form each, then back there.

What a service refuses, because somebody else was faster or the incident is over, is said on the
page as it is now: that is what whoever pressed the button needs to see.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from fastapi import APIRouter, Request, Response

from app.api.bounds import BoundedRoute
from app.api.deps import KeyPath, ServiceDep, acting
from app.api.state import Service
from app.core.errors import TocsinError
from app.core.paging import BIGGEST_KEY
from app.db.session import WriteSession, transaction_time
from app.domain.incident import IncidentStatus
from app.schemas.incident import AssignmentCreate, CommentCreate, Snooze
from app.services import escalation_by_hand, incident_bulk, incident_deletion, incident_people
from app.services import incident as incident_service
from app.web import choices, flash, forms
from app.web.deps import AdminDep, RespondingDep, Visitor, local
from app.web.flash import Undo
from app.web.forms import FormFault

router = APIRouter(prefix="/incidents", include_in_schema=False, route_class=BoundedRoute)

GONE = "INCIDENT_NOT_FOUND"
MOST_AT_ONCE = 50  # the rows of a page
SAID = {
    IncidentStatus.ACKNOWLEDGED: "You have it. Paging has stopped.",
    IncidentStatus.RESOLVED: "Resolved. Nobody is paged any more.",
}
Act = Callable[[WriteSession, datetime], Awaitable[object]]


@router.post("/acknowledge")
async def acknowledge_many(
    request: Request, visitor: RespondingDep, service: ServiceDep
) -> Response:
    """Take every chosen incident that is open."""
    words = (await request.form()).getlist("id")
    chosen = {int(word) for word in words if isinstance(word, str) and _is_key(word)}
    async with service.database.writing() as session:
        now = await transaction_time(session)
        taken = await incident_bulk.acknowledge(
            session, sorted(chosen)[:MOST_AT_ONCE], actor=acting(visitor.user), now=now
        )
    what = "1 incident" if len(taken) == 1 else f"{len(taken)} incidents"
    said = f"You have {what}. Paging has stopped." if taken else "Choose incidents that are open."
    return flash.back(request, await _came_from(request, "/incidents"), said)


@router.post("/{incident_id}/acknowledge")
async def acknowledge(
    request: Request, visitor: RespondingDep, service: ServiceDep, incident_id: KeyPath
) -> Response:
    return await _turn(request, service, visitor, incident_id, IncidentStatus.ACKNOWLEDGED)


@router.post("/{incident_id}/resolve")
async def resolve(
    request: Request, visitor: RespondingDep, service: ServiceDep, incident_id: KeyPath
) -> Response:
    return await _turn(request, service, visitor, incident_id, IncidentStatus.RESOLVED)


@router.post("/{incident_id}/reopen")
async def reopen(
    request: Request, visitor: RespondingDep, service: ServiceDep, incident_id: KeyPath
) -> Response:
    actor = acting(visitor.user)

    async def act(session: WriteSession, now: datetime) -> object:
        return await incident_service.reopen(session, incident_id, actor=actor, now=now)

    said = "It is open again, and its policies begin from their first step."
    return await _done(request, service, incident_id, act, said)


@router.post("/{incident_id}/snooze")
async def snooze(
    request: Request, visitor: RespondingDep, service: ServiceDep, incident_id: KeyPath
) -> Response:
    try:
        body = await forms.read(request, Snooze)
    except FormFault as fault:
        return flash.back(request, _page(incident_id), "; ".join(fault.errors.values()))
    actor = acting(visitor.user)

    async def act(session: WriteSession, now: datetime) -> object:
        until = body.until or now + timedelta(minutes=body.minutes or 0)
        return await incident_service.snooze(session, incident_id, until, actor=actor, now=now)

    said = "Snoozed: nobody is paged until then."
    return await _done(request, service, incident_id, act, said, undo=Undo.SNOOZED)


@router.post("/{incident_id}/wake")
async def wake(
    request: Request, visitor: RespondingDep, service: ServiceDep, incident_id: KeyPath
) -> Response:
    actor = acting(visitor.user)

    async def act(session: WriteSession, now: datetime) -> object:
        return await incident_service.end_snooze(session, incident_id, actor=actor, now=now)

    return await _done(request, service, incident_id, act, "Paging goes on.")


@router.post("/{incident_id}/escalate")
async def escalate(
    request: Request, visitor: RespondingDep, service: ServiceDep, incident_id: KeyPath
) -> Response:
    """Whoever is chosen is paged now; with nobody chosen, whatever comes next comes now."""
    word = (await forms.given(request)).get("to", "")
    to = choices.target(word)
    if word and to is None:
        return flash.back(request, _page(incident_id), "Choose somebody from the list.")
    actor = acting(visitor.user)

    async def act(session: WriteSession, now: datetime) -> object:
        if to is None:
            return await escalation_by_hand.escalate(session, incident_id, actor=actor, now=now)
        return await escalation_by_hand.call(session, incident_id, to, actor=actor, now=now)

    said = "They are being paged." if to else "What comes next comes now."
    return await _done(request, service, incident_id, act, said)


@router.post("/{incident_id}/escalations/{escalation_id}/cancel")
async def stop_ladder(
    request: Request,
    visitor: RespondingDep,
    service: ServiceDep,
    incident_id: KeyPath,
    escalation_id: KeyPath,
) -> Response:
    actor = acting(visitor.user)

    async def act(session: WriteSession, now: datetime) -> object:
        return await escalation_by_hand.cancel(
            session, incident_id, escalation_id, actor=actor, now=now
        )

    said = "This policy pages nobody any more."
    return await _done(request, service, incident_id, act, said)


@router.post("/{incident_id}/assign")
async def assign(
    request: Request, visitor: RespondingDep, service: ServiceDep, incident_id: KeyPath
) -> Response:
    try:
        body = await forms.read(request, AssignmentCreate)
    except FormFault:
        return flash.back(request, _page(incident_id), "Choose somebody from the list.")
    actor = acting(visitor.user)

    async def act(session: WriteSession, now: datetime) -> object:
        return await incident_people.assign(
            session, incident_id, body.user_id, body.role, actor=actor, now=now
        )

    return await _done(request, service, incident_id, act, "They have it now, and are told.")


@router.post("/{incident_id}/unassign/{user_id}")
async def unassign(
    request: Request,
    visitor: RespondingDep,
    service: ServiceDep,
    incident_id: KeyPath,
    user_id: KeyPath,
) -> Response:
    actor = acting(visitor.user)

    async def act(session: WriteSession, now: datetime) -> object:
        return await incident_people.unassign(session, incident_id, user_id, actor=actor, now=now)

    return await _done(request, service, incident_id, act, "They no longer have it.")


@router.post("/{incident_id}/comments")
async def comment(
    request: Request, visitor: RespondingDep, service: ServiceDep, incident_id: KeyPath
) -> Response:
    to = f"{_page(incident_id)}#story"
    try:
        body = await forms.read(request, CommentCreate)
    except FormFault as fault:
        return flash.back(request, to, "The comment: " + "; ".join(fault.errors.values()))
    actor = acting(visitor.user)

    async def act(session: WriteSession, now: datetime) -> object:
        return await incident_people.comment(
            session, incident_id, body.content, actor=actor, now=now
        )

    return await _done(request, service, incident_id, act, None, to=to)


@router.post("/{incident_id}/delete")
async def delete(
    request: Request, visitor: AdminDep, service: ServiceDep, incident_id: KeyPath
) -> Response:
    actor = acting(visitor.user)

    async def act(session: WriteSession, now: datetime) -> None:
        # The dialog has named it and said what follows: that is the confirmation.
        await incident_deletion.delete(
            session, incident_id, confirmation=str(incident_id), actor=actor, now=now
        )

    said = f"Incident #{incident_id} is deleted. An admin can restore it."
    return await _done(request, service, incident_id, act, said, to="/incidents", undo=Undo.DELETED)


@router.post("/{incident_id}/restore")
async def restore(
    request: Request, visitor: AdminDep, service: ServiceDep, incident_id: KeyPath
) -> Response:
    actor = acting(visitor.user)

    async def act(session: WriteSession, now: datetime) -> None:
        await incident_deletion.restore(session, incident_id, actor=actor, now=now)

    said = "It is there again, resolved as it was."
    return await _done(request, service, incident_id, act, said)


# --- How it is done -----------------------------------------------------------------------


async def _turn(
    request: Request,
    service: Service,
    visitor: Visitor,
    incident_id: int,
    status: IncidentStatus,
) -> Response:
    actor = acting(visitor.user)

    async def act(session: WriteSession, now: datetime) -> object:
        return await incident_service.change_status(
            session, incident_id, status, actor=actor, now=now
        )

    undo = Undo.RESOLVED if status is IncidentStatus.RESOLVED else None
    return await _done(request, service, incident_id, act, SAID[status], undo=undo)


async def _done(
    request: Request,
    service: Service,
    incident_id: int,
    act: Act,
    said: str | None,
    *,
    to: str | None = None,
    undo: Undo | None = None,
) -> Response:
    """Do it in a transaction of its own, and go back to the page or the list it was asked from."""
    place = to or await _came_from(request, _page(incident_id))
    try:
        async with service.database.writing() as session:
            await act(session, await transaction_time(session))
    except TocsinError as error:
        if error.code == GONE:
            raise
        return flash.back(request, place, error.message)
    return flash.back(request, place, said, undo=(undo, incident_id) if undo else None)


async def _came_from(request: Request, otherwise: str) -> str:
    """The list as it was narrowed, if that is where the form stands."""
    place = local((await forms.given(request)).get("next"))
    return place if place.split("?")[0] == "/incidents" else otherwise


def _page(incident_id: int) -> str:
    return f"/incidents/{incident_id}"


def _is_key(word: str) -> bool:
    is_number = word.isascii() and word.isdigit() and len(word) <= 16
    return is_number and 1 <= int(word) <= BIGGEST_KEY
