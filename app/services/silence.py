"""Resolving what has fallen silent: a service may say that no alert for so long means it is over.

Only what alerts opened is ever resolved so, and nothing that somebody has acknowledged or
snoozed, unless its service wants that, too. Whoever looks holds the incident, then its tally, so
that an alert either has joined before and counts, or opens an incident of its own.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta

from app.crud import crud_incident, crud_quiet, crud_silence
from app.db.session import WriteSession
from app.domain import escalation
from app.domain.incident import IncidentStatus
from app.domain.quiet import Standing
from app.models import Incident
from app.services import incident as incident_service


async def look(session: WriteSession, *, now: datetime, most: int) -> Collection[int]:
    """Look at incidents that are due, resolve what is over and see to the rest later; which."""
    claimed = await crud_silence.claim_due(session, now=now, most=most)
    if not claimed:
        return ()
    incidents = await crud_incident.lock_unresolved(session, claimed.keys())
    names = {incident.service for incident in incidents}
    services = await crud_quiet.catalogue(session, names, now=now)
    last = await crud_silence.last_alerts(session, [incident.id for incident in incidents])
    over: dict[str, list[Incident]] = defaultdict(list)
    later: dict[int, datetime] = {}
    for incident in incidents:
        standing = services.standing(incident.service)
        if standing.silence is None:  # its service wants this no more
            continue
        since = max(claimed[incident.id], last.get(incident.id, claimed[incident.id]))
        due_at = since + standing.silence
        if due_at > now:
            later[incident.id] = due_at
        elif _is_somebodys(incident, standing):
            later[incident.id] = now + standing.silence
        else:
            over[_story(standing.name, standing.silence)].append(incident)
    for story, silent in over.items():
        await incident_service.resolve_many(session, silent, story=story, now=now)
    await crud_silence.move(session, later)
    await crud_silence.end(session, claimed.keys() - later.keys())
    return claimed.keys()


def _is_somebodys(incident: Incident, standing: Standing) -> bool:
    """Whether somebody looks after it, and their word counts more than silence."""
    is_taken = incident.status is IncidentStatus.ACKNOWLEDGED or incident.snoozed_until is not None
    return is_taken and not standing.resolves_acknowledged


def _story(service: str, silence: timedelta) -> str:
    return (
        f"No alert came for {escalation.in_words(silence)}, and that means for service"
        f" “{service}” that it is over."
    )
