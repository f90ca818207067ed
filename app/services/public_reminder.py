"""Reminding people that the public waits to hear from them.

Twice somebody may forget it: when the next update that the public was promised is nearly due, and
when an incident has ended, by whatever ended it, and the public still sees it as going on. Of each
its people are reminded once, however many replicas look: a row says whether they were.
"""

from collections.abc import Sequence
from datetime import datetime

from app.crud import crud_contact_method, crud_incident, crud_public_incident, crud_user
from app.db.session import ReadSession, WriteSession
from app.domain.incident import AssignmentRole, TimelineType
from app.domain.notification import Channel, NotificationKind
from app.models import PublicIncident, User
from app.services import outbox
from app.services.outbox import Letter

BATCH = 50
TELLERS = (AssignmentRole.COMMUNICATOR, AssignmentRole.COMMANDER)


async def remind_due(session: WriteSession, *, now: datetime) -> int:
    """Remind of updates that are due; how many incidents that were."""
    due = await crud_public_incident.claim_due(session, now=now, most=BATCH)
    for public in due:
        due_at, public.remind_at = public.next_update_due_at, None
        await _remind(session, public, due_at=due_at, now=now)
    return len(due)


async def remind_of_ends(session: WriteSession, *, now: datetime) -> int:
    """Remind of incidents that are over for everybody but the public; how many they were."""
    ended = await crud_public_incident.claim_ended(session, most=BATCH)
    for public, resolved_at in ended:
        public.end_reminded_of = resolved_at
        await _remind(session, public, due_at=None, now=now)
    return len(ended)


async def _remind(
    session: WriteSession, public: PublicIncident, *, due_at: datetime | None, now: datetime
) -> None:
    people = await _people(session, public)
    facts = {
        "incident_id": public.incident_id,
        "title": public.title,
        "status": public.status.value,
        "due_at": None if due_at is None else due_at.isoformat(),
    }
    for user in people:
        for channel, address, contact_id in await _addresses(session, user):
            letter = Letter(
                NotificationKind.PUBLIC_REMINDER,
                channel,
                user_id=user.id,
                contact_method_id=contact_id,
                address=address,
                incident_id=public.incident_id,
                facts=facts,
            )
            await outbox.post(session, letter, now=now)
    await crud_incident.tell(session, [_entry(public, people, due_at, now)])


def _entry(
    public: PublicIncident, people: Sequence[User], due_at: datetime | None, now: datetime
) -> dict[str, object]:
    why = (
        f"It is over, and the public still sees it as {public.status}."
        if due_at is None
        else f"The public was promised an update by {due_at:%H:%M} UTC."
    )
    names = ", ".join(user.display_name for user in people)
    whom = f"Reminded: {names}." if names else "Nobody could be reminded."
    kind = TimelineType.PUBLIC_REMINDER
    return crud_incident.entry(public.incident_id, kind, f"{why} {whom}", now=now)


async def _people(session: ReadSession, public: PublicIncident) -> Sequence[User]:
    """Who tells the public: whoever has that role, else who works on it, else who published it,
    else the admins."""
    roles = await crud_incident.roles(session, public.incident_id)
    tellers = [key for key, role in roles if role in TELLERS]
    others = [key for key, role in roles if role is not AssignmentRole.OBSERVER]
    publisher = [] if public.created_by is None else [public.created_by]
    for ids in (tellers, others, publisher):
        users = await crud_user.by_ids(session, ids)
        active = [users[key] for key in ids if key in users and users[key].is_active]
        if active:
            return active
    return await crud_user.active_admins(session)


async def _addresses(
    session: ReadSession, user: User
) -> Sequence[tuple[Channel, str | None, int | None]]:
    """Their mail address, and each browser that they allowed to be pushed to."""
    contacts = await crud_contact_method.of_user(session, user.id)
    return [
        (Channel.EMAIL, user.email, None),
        *(
            (Channel.PUSH, None, contact.id)
            for contact in contacts
            if contact.channel is Channel.PUSH and contact.verified_at is not None
        ),
    ]
