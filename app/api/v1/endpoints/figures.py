"""Figures: how quickly people answer, what wakes whom, and who bears how much of it."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.api import figures_shown as shown
from app.api.bounds import BoundedRoute
from app.api.deps import Reader, ReadSession
from app.api.errors import answers
from app.api.figures_query import (
    ASKED,
    IN_CSV,
    During,
    Narrowed,
    Shortly,
    WantedFormat,
    ZoneName,
    told,
)
from app.api.figures_shown import Frequency
from app.core.paging import BIGGEST_KEY
from app.crud import crud_figures
from app.crud.crud_figures import Group
from app.db.session import transaction_time
from app.domain.figures import Per
from app.schemas.base import ReadSchema
from app.schemas.figures import (
    FiguresRead,
    FrequencyRead,
    NoiseRead,
    OnCallHoursRead,
    PagedRead,
    PresentLoadRead,
    ResponseRead,
    TrendRead,
)
from app.services import figures as figures_service

ANSWERS = answers(401, 403, 404, 422) | IN_CSV

router = APIRouter(prefix="/figures", tags=["figures"], route_class=BoundedRoute)


@router.get(
    "/response",
    response_model=FiguresRead[ResponseRead],
    responses=ANSWERS,
    dependencies=ASKED,
)
async def read_response_figures(
    session: ReadSession,
    during: During,
    narrowed: Narrowed,
    form: WantedFormat,
    _: Reader,
    group_by: Annotated[
        Group | None, Query(description="A row for each of the 500 most frequent, or one for all.")
    ] = None,
) -> ReadSchema | Response:
    """Count how incidents that were opened in a time were answered: mean, median and 90th
    percentile of the time to acknowledge (MTTA) and to resolve (MTTR).

    To acknowledge counts from the opening to the first acknowledgement, whatever came after it; to
    resolve, from the opening to the resolution that holds. What was never acknowledged or is not
    resolved is counted, and is in neither. Fire drills and deleted incidents are in no figure.
    """
    found = await crud_figures.response(session, narrowed.within(during), group_by)
    rows = [shown.response(one, group_by) for one in found]
    return told(
        FiguresRead[ResponseRead](since=during[0], until=during[1], rows=rows), form, "response"
    )


@router.get(
    "/frequency",
    response_model=FiguresRead[FrequencyRead],
    responses=ANSWERS,
    dependencies=ASKED,
)
async def read_frequency_figures(
    session: ReadSession,
    during: During,
    narrowed: Narrowed,
    form: WantedFormat,
    _: Reader,
    by: Annotated[Frequency, Query(description="By what they are told apart.")] = Frequency.SERVICE,
    time_zone: ZoneName = "UTC",
) -> ReadSchema | Response:
    """Count how often incidents were opened, by service or severity (the most frequent first), or
    by hour of the day and day of the week on the clock of a zone."""
    rows = await shown.frequency(session, narrowed.within(during), by, time_zone)
    return told(
        FiguresRead[FrequencyRead](since=during[0], until=during[1], rows=rows), form, "frequency"
    )


@router.get("/trend", response_model=TrendRead, responses=ANSWERS, dependencies=ASKED)
async def read_trend_figures(
    session: ReadSession,
    during: During,
    narrowed: Narrowed,
    form: WantedFormat,
    _: Reader,
    per: Annotated[
        Per, Query(description="How long a part is; a week begins on Monday.")
    ] = Per.DAY,
    time_zone: ZoneName = "UTC",
) -> ReadSchema | Response:
    """Count incidents from part to part, beside the time before that was as long.

    Parts begin at midnight on the clock of the zone; the first and the last may be cut.
    """
    found = await figures_service.trend(session, narrowed.within(during), per, time_zone)
    return told(shown.trend(found, during), form, "trend")


@router.get("/load", response_model=PresentLoadRead, responses=ANSWERS, dependencies=ASKED)
async def read_load_figures(
    session: ReadSession, narrowed: Narrowed, form: WantedFormat, _: Reader
) -> ReadSchema | Response:
    """Count what is unresolved now, by severity, and what was resolved in the last seven days."""
    now = await transaction_time(session)
    where = narrowed.within(figures_service.span(None, None, now=now))
    return told(shown.load(await figures_service.load(session, where, now=now), now), form, "load")


@router.get("/pages", response_model=FiguresRead[PagedRead], responses=ANSWERS, dependencies=ASKED)
async def read_page_figures(
    session: ReadSession, during: During, narrowed: Narrowed, form: WantedFormat, _: Reader
) -> ReadSchema | Response:
    """Count what woke whom: pages, interruptions at night and on weekends by each person's own
    clock, and which incidents they were the first to acknowledge. At most 1,000 people, those with
    the most pages first."""
    found = await figures_service.pages(session, narrowed.within(during))
    rows = [shown.paged(one) for one in found]
    return told(FiguresRead[PagedRead](since=during[0], until=during[1], rows=rows), form, "pages")


@router.get(
    "/on-call", response_model=FiguresRead[OnCallHoursRead], responses=ANSWERS, dependencies=ASKED
)
async def read_on_call_figures(
    session: ReadSession,
    during: During,
    form: WantedFormat,
    _: Reader,
    schedule_id: Annotated[
        list[Annotated[int, Query(ge=1, le=BIGGEST_KEY)]],
        Query(max_length=100, description="By any of these; by all if not given."),
    ] = [],  # noqa: B006
) -> ReadSchema | Response:
    """Count how long everybody was on call, at night and on weekends by their own clock, and what
    part of everybody's hours that is.

    What schedules said then counts, overrides included, whatever they say now. Who is on call by
    two of them at once is so once.
    """
    now = await transaction_time(session)
    found = await figures_service.on_call(session, schedule_id, during, now=now)
    rows = [shown.on_call(one, len(found)) for one in found]
    return told(
        FiguresRead[OnCallHoursRead](since=during[0], until=during[1], rows=rows), form, "on-call"
    )


@router.get("/noise", response_model=FiguresRead[NoiseRead], responses=ANSWERS, dependencies=ASKED)
async def read_noise_figures(
    session: ReadSession, during: Shortly, narrowed: Narrowed, form: WantedFormat, _: Reader
) -> ReadSchema | Response:
    """Count the alerts that cry wolf: the 100 problems (deduplication keys of an integration) that
    were opened most often, with the pages they cost and how often nobody did anything. At most 92
    days."""
    found = await figures_service.noise(session, narrowed.within(during))
    rows = [shown.noise(one) for one in found]
    return told(FiguresRead[NoiseRead](since=during[0], until=during[1], rows=rows), form, "noise")
