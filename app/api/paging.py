"""Which page of a list is asked for, in which order; the shape of every list.

A parameter that a list does not know is refused: a filter with a slip of the pen in it would
otherwise show everything. So a list that takes its page from here needs no check of its own.
"""

import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal

from fastapi import Depends, Query, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError

from app.api.state import Service
from app.core.errors import InvalidInputError
from app.core.paging import Cursors
from app.crud.base import ALWAYS, COUNTED_AT_MOST, Slice, Span, Window
from app.schemas.alert import When

# What a page may differ in from the one before it.
TURNING = frozenset({"page", "per_page", "cursor"})
# A name of 255 characters takes up to 1,400 characters here.
LONGEST_CURSOR = 2_000


# A filter that several small lists share.
IsActive = Annotated[
    bool | None, Query(description="Only those that are active, or only those that are not.")
]


class UseCursorError(InvalidInputError):
    """Numbered pages cost more the deeper they are; cursors do not."""

    code = "USE_CURSOR"


@dataclass(frozen=True)
class PageQuery:
    """Which page of a list was asked for."""

    window: Window
    page: int | None
    cursors: Cursors

    def shown(self, found: Slice[Any]) -> dict[str, Any]:
        """A slice in the shape of every list."""
        return {"items": found.items, **self._told(found)}

    def written(self, found: Slice[str]) -> Response:
        """The same of items that are JSON already, as the answer."""
        told = json.dumps(self._told(found), separators=(",", ":"))
        body = f'{{"items":[{",".join(found.items)}],{told[1:]}'
        return Response(body, media_type="application/json")

    def _told(self, found: Slice[Any]) -> dict[str, Any]:
        after = found.next_after
        return {
            "total": found.total,
            "total_is_bound": found.total_is_bound,
            "page": self.page,
            "per_page": self.window.per_page,
            "next_cursor": None if after is None else self.cursors.encode(after),
        }


async def _span(
    since: Annotated[When | None, Query(description="Then or later.")] = None,
    until: Annotated[When | None, Query(description="Before then.")] = None,
) -> Span:
    return Span(since, until)


InSpan = Annotated[Span, Depends(_span)]


def require_owner(span: Span, **owners: int | None) -> None:
    """Refuse to look for a time among the rows of everybody: no order leads to it."""
    if span != ALWAYS and not any(owners.values()):
        named = " or ".join(f"`{name}`" for name in owners)
        raise InvalidInputError(
            f"This list is narrowed to a time together with {named} only; add one of them.",
            field="since" if span.since is not None else "until",
        )


class ById(StrEnum):
    """Lists that have one order only: that in which the rows were made."""

    ID = "id"


def paged(orders: type[StrEnum], otherwise: StrEnum | None) -> Callable[..., Awaitable[PageQuery]]:
    """A dependency for lists that can be put in these orders; None: the endpoint picks one."""

    async def page_of(
        request: Request,
        page: Annotated[int, Query(ge=1, description="From 1; ignored with a cursor.")] = 1,
        per_page: Annotated[int, Query(ge=1, le=100)] = 50,
        cursor: Annotated[
            str | None,
            Query(max_length=LONGEST_CURSOR, description="`next_cursor` of the page before."),
        ] = None,
        sort_by: Annotated[  # of this list
            orders | None,  # type: ignore[valid-type]
            Query(description="What to put the list in order by; equals by id."),
        ] = otherwise,
        sort_order: Annotated[
            Literal["asc", "desc"] | None,
            Query(description="Ascending or descending; left out, as the list says."),
        ] = None,
    ) -> PageQuery:
        await refuse_unknown(request)
        cursors = _cursors(request)
        order = str(sort_by or otherwise or "")
        descending = None if sort_order is None else sort_order == "desc"
        if cursor is not None:
            after = cursors.decode(cursor)
            return PageQuery(
                Window(per_page, after=after, order=order, descending=descending), None, cursors
            )
        if page * per_page > COUNTED_AT_MOST:
            raise UseCursorError(
                f"Numbered pages end at {COUNTED_AT_MOST:,} rows; follow `next_cursor` beyond."
            )
        window = Window(per_page, page=page, order=order, descending=descending)
        return PageQuery(window, page, cursors)

    return page_of


def _cursors(request: Request) -> Cursors:
    """Those of this list, as it is asked for."""
    service: Service = request.app.state.service
    asked = sorted(pair for pair in request.query_params.multi_items() if pair[0] not in TURNING)
    return Cursors(service.signer.derive("cursors"), repr((request.url.path, asked)))


_known: dict[Any, frozenset[str]] = {}


async def refuse_unknown(request: Request) -> None:
    endpoint = request.scope["endpoint"]
    known = _known.get(endpoint)
    if known is None:
        known = _known[endpoint] = frozenset(_parameters(request.scope["route"].dependant))
    unknown = sorted(set(request.query_params) - known)
    if unknown:
        message = f"is no parameter of this list; there are: {', '.join(sorted(known))}"
        raise RequestValidationError(
            [{"type": "unknown", "loc": ("query", name), "msg": message} for name in unknown]
        )


def _parameters(dependant: Dependant) -> Iterator[str]:
    for field in dependant.query_params:
        yield field.alias
    for one in dependant.dependencies:
        yield from _parameters(one)
