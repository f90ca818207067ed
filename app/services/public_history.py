"""What the public was told before, month by month, in the page's time zone (promise 7: public
columns and nothing else)."""

from dataclasses import replace
from datetime import datetime, time

from app.crud import crud_public_incident, crud_public_maintenance, crud_status_page
from app.crud.base import Span
from app.db.session import ReadSession
from app.domain.public_history import MonthName, MonthPicture
from app.domain.public_page import IncidentPicture
from app.domain.time_zone import zone
from app.services import public_page as public_page_service

MOST_A_MONTH = 500
IN_FEEDS = 50  # as many as other status pages tell


async def month(
    session: ReadSession, wanted: MonthName | None, *, now: datetime
) -> MonthPicture | None:
    """A month of the history, or this one; None for one before anything happened, or ahead."""
    page = await crud_status_page.get(session)
    place = zone(page.time_zone)
    current = MonthName.of(now.astimezone(place).date())
    shown = wanted or current
    first = await _first(session, now)
    oldest = min(MonthName.of(first.astimezone(place).date()), current)
    if not oldest <= shown <= current:
        return None
    span = Span(
        datetime.combine(shown.first, time(), place),
        min(datetime.combine(shown.next().first, time(), place), now),
    )
    began = await crud_public_incident.started(session, span, most=MOST_A_MONTH)
    works = await crud_public_maintenance.started(session, span, most=MOST_A_MONTH)
    told = await public_page_service.incidents(session, page, began)
    done = await public_page_service.maintenances(session, page, works)
    return MonthPicture(
        shown,
        tuple(told[one.id] for one in began),
        tuple(done[one.id] for one in works),
        earlier=shown.before() if shown > oldest else None,
        later=shown.next() if shown < current else None,
    )


async def months(session: ReadSession, *, now: datetime, most: int) -> list[MonthPicture]:
    """The last months, newest first; at least this one."""
    found: list[MonthPicture] = []
    wanted: MonthName | None = None
    while len(found) < most:
        shown = await month(session, wanted, now=now)
        assert shown is not None  # no other is asked for
        found.append(replace(shown, earlier=None) if len(found) == most - 1 else shown)
        if shown.earlier is None:
            break
        wanted = shown.earlier
    return found


async def _first(session: ReadSession, now: datetime) -> datetime:
    """When the first thing happened that the public was told of."""
    incident = await crud_public_incident.first_started_at(session)
    maintenance = await crud_public_maintenance.first_scheduled_for(session)
    return min(at for at in (incident, maintenance, now) if at is not None)


async def newest(session: ReadSession, *, most: int = IN_FEEDS) -> tuple[IncidentPicture, ...]:
    """The incidents that began last, newest first."""
    page = await crud_status_page.get(session)
    began = await crud_public_incident.started(session, Span(), most=most)
    told = await public_page_service.incidents(session, page, began)
    return tuple(told[one.id] for one in began)
