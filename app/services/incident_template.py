"""Templates: what is filled in already when an incident is declared that has been before.

A template is an offer. What whoever declares says themselves comes before it, and an edit of it
changes no incident that was declared with it.

Locking: whoever names a template waits for others who do; whoever declares with one shares it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.core.errors import ConflictError, InvalidInputError, NotFoundError
from app.crud import crud_incident_template
from app.db.session import ReadSession, WriteSession
from app.domain.incident import Opening
from app.domain.user import Actor
from app.models import Incident, IncidentTemplate, IncidentTemplateUse
from app.services import incident as incident_service
from app.services import incident_people

NEEDED = ("title", "severity", "service")
OFFERED = (*NEEDED, "description", "tags")


class TemplateNameTakenError(ConflictError):
    """Another template has this name, whatever its capitals."""

    code = "INCIDENT_TEMPLATE_NAME_TAKEN"


class IncompleteIncidentError(InvalidInputError):
    """Neither whoever declares it nor a template says what must be said."""

    code = "INCIDENT_INCOMPLETE"


class TemplateIsDraftError(ConflictError):
    """Nobody has said yet that it is ready."""

    code = "INCIDENT_TEMPLATE_IS_DRAFT"


async def require(session: ReadSession, template_id: int) -> IncidentTemplate:
    return _there(await crud_incident_template.get(session, template_id), template_id)


async def create(
    session: WriteSession, fields: Mapping[str, Any], *, now: datetime
) -> IncidentTemplate:
    """A template, ready or a draft."""
    await crud_incident_template.wait_for_other_names(session)
    await _require_free(session, fields["name"])
    row = IncidentTemplate(**fields, revision=1, created_at=now, updated_at=now)
    return await crud_incident_template.add(session, row)


async def update(
    session: WriteSession, template_id: int, fields: Mapping[str, Any], *, now: datetime
) -> IncidentTemplate:
    """Write the named fields."""
    if "name" in fields:
        await crud_incident_template.wait_for_other_names(session)
    template = _there(await crud_incident_template.lock(session, template_id), template_id)
    if "name" in fields:
        await _require_free(session, fields["name"], but=template_id)
    template.revise(fields, now=now)
    return template


async def remove(session: WriteSession, template_id: int) -> None:
    """Delete a template; incidents that were declared with it stay as they are."""
    template = _there(await crud_incident_template.lock(session, template_id), template_id)
    await crud_incident_template.remove(session, template)


# --- Declaring with it ------------------------------------------------------------------


async def take(session: WriteSession, template_id: int) -> IncidentTemplate:
    """The template for somebody who declares with it now; a draft is refused."""
    template = _there(await crud_incident_template.share(session, template_id), template_id)
    if not template.is_active:
        raise TemplateIsDraftError(
            f"“{template.name}” is a draft; have it made active, or declare without it.",
            field="template_id",
        )
    return template


async def declare(
    session: WriteSession, said: Mapping[str, Any], *, actor: Actor, now: datetime
) -> Incident:
    """Open an incident by hand: as is said, and for the rest as `template_id` has it.

    Its people get the template's checklist as the first comment.
    """
    said = {name: value for name, value in said.items() if value is not None}
    assignees = said.pop("assignees", ())
    template_id = said.pop("template_id", None)
    template = None if template_id is None else await take(session, template_id)
    offer = {} if template is None else {name: getattr(template, name) for name in OFFERED}
    story = f"{actor.name} declared the incident" + (
        f" from “{template.name}”." if template else "."
    )
    opening = Opening(
        **_complete({**offer, **said}), source="manual", created_by=actor.user_id, story=story
    )
    incident = await incident_service.declare(session, opening, assignees, actor=actor, now=now)
    if template is not None:
        await _note_use(session, template, incident.id, actor=actor, now=now)
    return incident


def _complete(fields: dict[str, Any]) -> dict[str, Any]:
    missing = [name for name in NEEDED if fields.get(name) is None]
    if missing:
        raise IncompleteIncidentError(
            f"Say the {' and the '.join(missing)} of the incident, or name a template that does.",
            field=missing[0],
            errors=[{"path": name, "message": "is needed"} for name in missing],
        )
    return fields


async def _note_use(
    session: WriteSession,
    template: IncidentTemplate,
    incident_id: int,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    use = IncidentTemplateUse(incident_id=incident_id, template_id=template.id)
    await crud_incident_template.add_use(session, use)
    if template.checklist:
        await incident_people.comment(
            session, incident_id, template.checklist, actor=actor, now=now
        )


async def _require_free(session: ReadSession, name: str, *, but: int | None = None) -> None:
    other = await crud_incident_template.by_name(session, name)
    if other is not None and other.id != but:
        raise TemplateNameTakenError(
            f"There is a template “{other.name}” already; take another name.", field="name"
        )


def _there(template: IncidentTemplate | None, template_id: int) -> IncidentTemplate:
    if template is None:
        raise NotFoundError("incident template", template_id)
    return template
