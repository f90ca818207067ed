"""What a new postmortem says at first: the built-in template, or an installation's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.core.errors import InvalidInputError
from app.crud import crud_postmortem
from app.db.session import ReadSession, WriteSession
from app.domain.postmortem import BUILT_IN, PLACES, SECTIONS, unknown_places
from app.models import PostmortemTemplate, User


class InvalidPostmortemTemplateError(InvalidInputError):
    """It names a place that stands for nothing; `details.errors` names each section."""

    code = "INVALID_POSTMORTEM_TEMPLATE"


@dataclass(frozen=True)
class Template:
    """The template as it is in use."""

    sections: Mapping[str, str]
    is_custom: bool = False
    revision: int = 0
    updated_at: datetime | None = None
    updated_by: int | None = None


async def current(session: ReadSession) -> Template:
    return _shown(await crud_postmortem.template(session))


async def save(
    session: WriteSession, fields: Mapping[str, Any], *, by: User, now: datetime
) -> Template:
    """Write the named sections; postmortems that were begun before stay as they are."""
    _require_known(fields)
    row = await crud_postmortem.lock_template(session)
    if row is None:
        values = {**BUILT_IN, **fields}
        row = await crud_postmortem.add_template(session, values, by=by.id, now=now)
    elif row.revise(fields, now=now):
        row.updated_by = by.id
    return _shown(row)


async def reset(session: WriteSession) -> None:
    """Go back to the built-in one."""
    row = await crud_postmortem.lock_template(session)
    if row is not None:
        await crud_postmortem.remove_template(session, row)


def _require_known(fields: Mapping[str, Any]) -> None:
    found = [
        {
            "path": name,
            "message": f"names {{{{ {place} }}}}, which stands for nothing;"
            f" these do: {', '.join(PLACES)}",
        }
        for name, text in fields.items()
        for place in unknown_places(text)
    ]
    if found:
        first = found[0]
        raise InvalidPostmortemTemplateError(
            f"The template cannot be used: {first['path']} {first['message']}.", errors=found
        )


def _shown(row: PostmortemTemplate | None) -> Template:
    if row is None:
        return Template(BUILT_IN)
    sections = {name: getattr(row, name) for name in SECTIONS}
    return Template(
        sections,
        is_custom=True,
        revision=row.revision,
        updated_at=row.updated_at,
        updated_by=row.updated_by,
    )
