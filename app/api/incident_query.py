"""What a list of incidents can be narrowed to and put in order by."""

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any

from fastapi import Depends, Query
from pydantic import AfterValidator, Field

from app.api.deps import CurrentUser, ServiceDep, require
from app.api.paging import PageQuery, paged
from app.api.state import Service
from app.core.errors import InvalidInputError
from app.core.paging import BIGGEST_KEY
from app.crud.crud_incident_filter import IncidentFilter, IncidentOrder
from app.domain.incident import IncidentStatus
from app.domain.search import MOST_MATCHES, to_query
from app.domain.user import Permission
from app.models import User
from app.schemas.alert import When
from app.schemas.types import ServiceName, SeverityWord, Storable, Tag
from app.services import custom_field as custom_field_service

ME, NOBODY = "me", "none"
# Longer than any value is.
CustomFieldQuery = Annotated[str, Field(max_length=2100, examples=["customers_affected:42"])]
SourceName = Annotated[str, Field(min_length=1, max_length=100), Storable]

_require_admin = require(Permission.ADMINISTER)


async def _deleted(
    user: CurrentUser,
    deleted: Annotated[bool, Query(description="Only deleted ones; for admins.")] = False,
) -> bool:
    if deleted:
        await _require_admin(user)
    return deleted


def _person(word: str) -> str:
    if word not in (ME, NOBODY) and int(word) > BIGGEST_KEY:
        raise ValueError("is larger than any id")
    return word


Person = Annotated[str, Field(pattern=r"^(me|none|[1-9][0-9]{0,15})$"), AfterValidator(_person)]
SearchText = Annotated[str, Field(max_length=200), Storable]


async def _filter(
    tocsin: ServiceDep,
    user: CurrentUser,
    deleted: Annotated[bool, Depends(_deleted)],
    status: Annotated[list[IncidentStatus], Query(description="Any of these.")] = [],  # noqa: B006
    severity: Annotated[list[SeverityWord], Query(description="Any of these.")] = [],  # noqa: B006
    service: Annotated[list[ServiceName], Query(description="Any of these.")] = [],  # noqa: B006
    source: Annotated[list[SourceName], Query(description="Any of these.")] = [],  # noqa: B006
    tag: Annotated[list[Tag], Query(description="With any of these.")] = [],  # noqa: B006
    integration_id: Annotated[int | None, Query(ge=1, le=BIGGEST_KEY)] = None,
    assigned_to: Annotated[
        Person | None,
        Query(description="The id of a user, `me`, or `none`: nobody has it yet.", examples=["me"]),
    ] = None,
    custom_field: Annotated[
        list[CustomFieldQuery],
        Query(
            max_length=20,
            description="`key:value`. Any of the values of one key; all of the keys.",
        ),
    ] = [],  # noqa: B006
    since: Annotated[When | None, Query(description="Opened then or later.")] = None,
    until: Annotated[When | None, Query(description="Opened before then.")] = None,
    updated_since: Annotated[When | None, Query(description="Changed then or later.")] = None,
    updated_until: Annotated[When | None, Query(description="Last changed before then.")] = None,
    search: Annotated[
        SearchText | None,
        Query(
            description="Words in the title and description, or in one comment: all of them, as"
            f" whole words; “…” in a row, `or`, `-` without. Of more than {MOST_MATCHES:,}, the"
            " newest.",
            examples=["ECONNREFUSED db-7"],
        ),
    ] = None,
    drill: Annotated[bool, Query(description="Only fire drills, which are left out else.")] = False,
) -> IncidentFilter:
    words = None if search is None else to_query(search)
    if search is not None and words is None:
        raise InvalidInputError("Name at least one word to search for.", field="search")
    return IncidentFilter(
        status=status,
        severity=severity,
        service=service,
        source=source,
        tag=tag,
        integration_id=integration_id,
        assigned_to=_id_of(assigned_to, user),
        unassigned=assigned_to == NOBODY,
        custom_fields=await _sought(tocsin, custom_field),
        since=since,
        until=until,
        updated_since=updated_since,
        updated_until=updated_until,
        search=words,
        deleted=deleted,
        drill=drill,
    )


async def _sought(
    tocsin: Service, asked: Sequence[str]
) -> Collection[Collection[Mapping[str, Any]]]:
    if not asked:
        return ()
    async with tocsin.database.reading() as session:
        return await custom_field_service.sought(session, asked)


def _id_of(person: str | None, user: User) -> int | None:
    if person in (None, NOBODY):
        return None
    return user.id if person == ME else int(str(person))


WantedIncidents = Annotated[IncidentFilter, Depends(_filter)]


async def _page(
    where: WantedIncidents, page: Annotated[PageQuery, Depends(paged(IncidentOrder, None))]
) -> PageQuery:
    if page.window.order == IncidentOrder.RELEVANCE and where.search is None:
        raise InvalidInputError(
            "Without `search` nothing is more relevant than another; sort by something else.",
            field="sort_by",
        )
    return page


IncidentPaging = Annotated[PageQuery, Depends(_page)]
