"""What the public is told of an incident, for the pages of those who tell it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.crud import crud_public_incident, crud_public_update, crud_status_component
from app.crud.base import Window
from app.crud.crud_public_update import About
from app.db.session import ReadSession
from app.domain.public_incident import TRANSITIONS, PublicStatus
from app.domain.status_component import ComponentStatus
from app.models import PublicIncident, PublicUpdate, StatusComponent

MOST_UPDATES = 50


@dataclass(frozen=True)
class PublicSide:
    """A published incident with its updates, newest first; or that the public knows nothing."""

    published: PublicIncident | None = None
    updates: Sequence[PublicUpdate] = ()
    hit: Mapping[str, ComponentStatus] = field(default_factory=dict)  # by the component's name

    @property
    def waits(self) -> bool:
        """Whether the public still believes that it goes on."""
        return self.published is not None and self.published.status is not PublicStatus.RESOLVED

    @property
    def next_statuses(self) -> Sequence[PublicStatus]:
        """What an update may say: the same again, or what follows."""
        if self.published is None:
            return list(PublicStatus)
        return [self.published.status, *TRANSITIONS[self.published.status]]


async def of_incident(session: ReadSession, incident_id: int) -> PublicSide:
    """The public side of an incident as it is now."""
    published = await crud_public_incident.of_incident(session, incident_id)
    if published is None:
        return PublicSide()
    updates = await crud_public_update.list_page(
        session, About(public_incident_id=published.id), Window(MOST_UPDATES)
    )
    effects = (await crud_public_incident.effects(session, [published.id]))[published.id]
    return PublicSide(published, updates.items, {one.name: one.status for one in effects})


async def components(session: ReadSession) -> Sequence[StatusComponent]:
    """What an incident can hit, in the order of the status page."""
    return await crud_status_component.list_all(session)
